# SPDX-License-Identifier: MIT
"""The world's end of the bus: a thread that answers the terminal's messages (boards/unix/wiring.py) in turn."""

import socket
import struct
import threading
from collections.abc import Callable

from boards.unix import wiring
from tools.world.routing import Lines

_HEADER = struct.Struct("<BBHI")
_LOOK_EVERY = struct.pack("ll", 0, 250_000)  # s, us: how often the watchdog of a silent terminal is checked

Handler = Callable[[int, bytes], bytes | None]


class Bus:
    """Listens on `port` (loopback) and serves one terminal process at a time.

    `handlers` maps an operation to a function (unit, payload) -> answer, or None if the message has no answer.
    `on_time(ms)` is called with the virtual time of each message, `on_silence()` at intervals while none arrive.
    The handlers run under `lock`.
    """

    def __init__(
        self,
        handlers: dict[int, Handler],
        lock: threading.Condition,
        on_time: Callable[[int], None],
        on_silence: Callable[[], None],
    ) -> None:
        self._handlers = handlers
        self._lock = lock
        self._on_time = on_time
        self._on_silence = on_silence
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.error: Exception | None = None  # why the thread ended
        self._closed = False
        self._link: socket.socket | None = None  # to the process that is served
        self._thread = threading.Thread(target=self._run, name="bus", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._closed = True
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(5)
        self._listener.close()

    def cut(self) -> None:
        """The process that is served has lost its power: what it has sent and is not handled yet reaches no chip."""
        self._link = None

    def _run(self) -> None:
        try:
            while not self._closed:
                link, _ = self._listener.accept()
                with link:
                    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, _LOOK_EVERY)
                    self._serve(link)
        except Exception as error:
            self.error = error

    def _serve(self, link: socket.socket) -> None:
        """Answer one process until it disconnects."""
        pending = b""
        with self._lock:
            self._link = link
        while not self._closed:
            try:
                data = link.recv(65536)
            except BlockingIOError:
                self._on_silence()
                continue
            except OSError:
                return
            if not data:
                return
            pending = pending + data if pending else data
            with self._lock:
                if self._link is not link:
                    continue  # until the dead process's end closes
                used, replies = self._handle(pending)
            pending = pending[used:]
            try:
                for reply in replies:
                    link.sendall(reply)
            except OSError:
                return

    def _handle(self, data: bytes) -> tuple[int, list[bytes]]:
        """Handle the complete messages in `data`. Returns the bytes used and the answers."""
        replies = []
        start, end = 0, len(data)
        while end - start >= 8:
            operation, unit, size, now = _HEADER.unpack_from(data, start)
            after = start + 8 + size
            if after > end:
                break
            self._on_time(now)
            reply = self._handlers[operation](unit, data[start + 8 : after])
            if reply is not None:
                replies.append(reply)
            start = after
            if self._link is None:
                break
        return start, replies


def pin_handlers(lines: Lines) -> dict[int, Handler]:
    """Handlers for the messages that go straight to the chips (routing.py)."""

    def spi_setup(unit: int, data: bytes) -> None:
        lines.spi_setup(unit, bool(data[6]), int.from_bytes(data[:4], "little"))

    def spi_write(unit: int, data: bytes) -> None:
        lines.spi_transfer(unit, data)

    def spi_read(unit: int, data: bytes) -> bytes:
        size, fill = struct.unpack("<HB", data)
        return lines.spi_transfer(unit, bytes((fill,)) * size)

    def i2c_write(unit: int, data: bytes) -> bytes:
        return bytes((lines.i2c_write(unit, data[0], data[1:]),))

    def i2c_read(unit: int, data: bytes) -> bytes:
        found = lines.i2c_read(unit, *struct.unpack("<BH", data))
        return b"\x00" if found is None else b"\x01" + found

    def uart_read(unit: int, data: bytes) -> bytes:
        found = lines.uart_read(unit, struct.unpack("<H", data)[0])
        return struct.pack("<H", len(found)) + found

    return {
        wiring.PIN_WRITE: lambda unit, data: lines.pin_write(unit, data[0]),
        wiring.PIN_READ: lambda unit, data: bytes((lines.pin_read(unit),)),
        wiring.SPI_SETUP: spi_setup,
        wiring.SPI_WRITE: spi_write,
        wiring.SPI_TRANSFER: lines.spi_transfer,
        wiring.SPI_READ: spi_read,
        wiring.PWM: lambda unit, data: lines.pwm(unit, *struct.unpack("<IH", data)),
        wiring.I2C_WRITE: i2c_write,
        wiring.I2C_READ: i2c_read,
        wiring.UART_WRITE: lines.uart_write,
        wiring.UART_READ: uart_read,
        wiring.UART_ANY: lambda unit, data: struct.pack("<H", lines.uart_any(unit)),
    }
