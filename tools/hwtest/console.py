# SPDX-License-Identifier: MIT
"""The board's console: is it free, and then its raw REPL, with a limit on every wait. Uses mpremote's serial transport.

A terminal that works is never interrupted: the prompt shows that no program runs, an answer to "kassa info" that safe mode
does, which sells nothing and writes nothing. Anything else is refused before Ctrl-C is sent. (Ctrl-C would lose no
payment, since each is durable before it is shown, but it would end a sale before its result is seen, and the watchdog
would then restart the board in the middle of the tests.)
"""

import struct
import time
from collections.abc import Callable
from typing import Any

from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from tools import serial_port
from tools.hwtest.rows import plain

_PROMPT = b">>> "
_SAFE_MODE = b"kassa: end 0"
_LOOK_S = 1.0  # for the prompt
_ASK_S = 5.0  # for safe mode: a board that resets when its port is opened starts meanwhile
_READ_S = 2.0  # one read
_POLL_S = 0.01
_STOP_S = 5  # from Ctrl-C to the prompt
_BAUD = 115200
_END = b"\x04"


class Refused(Exception):
    """The board cannot be tested now. The text says why and what to do."""


class Gone(Exception):
    """The board does not answer any more."""


class Late(Exception):
    """A test exceeded its limit. It was interrupted, and the board answers again."""


class Console:
    """The console at a serial port. Raises Refused if the board is not free."""

    def __init__(self, port: str) -> None:
        self._busy = False  # a script runs on the board
        try:
            self._link = SerialTransport(port, _BAUD, timeout=_READ_S)
        except (TransportError, OSError, ValueError) as error:
            raise Refused(plain(serial_port.why(port, error))) from None
        try:
            self._require_free()
            self._enter()
        except (OSError, TransportError, struct.error) as error:
            self.close()
            raise Refused(f"{port}: {plain(str(error))}") from None
        except Refused:
            self.close()
            raise

    def run(self, source: str, on_line: Callable[[str], None], deadline: Callable[[], float]) -> str:
        """Run a script on the board. `deadline()`: when it must have ended or printed a line that moves it (monotonic s).

        Returns its traceback, "" if it ended well. Raises Late or Gone.
        """
        self._busy = True
        try:
            self._link.exec_raw_no_follow(source)
            left = b""
            while True:
                line, left = self._line(left, deadline)
                if line.endswith(_END):
                    on_line(line[:-1].decode("utf-8", "replace"))
                    break
                on_line(line.decode("utf-8", "replace").rstrip("\r\n"))
            error, _ = self._until(_END + b">", left, deadline)
            self._fresh_prompt()
            return error.decode("utf-8", "replace").strip()
        except TimeoutError:
            self._interrupt()
            raise Late from None
        except (OSError, TransportError, struct.error) as error:
            raise Gone(plain(str(error)) or type(error).__name__) from None

    def close(self, reset: bool = False) -> None:
        """Release the port; with `reset`, restart the board first. The port may be gone already."""
        try:
            if reset and self._busy:
                self._interrupt()
            if reset:
                self._link.exec_raw_no_follow("import machine\nmachine.reset()")
                time.sleep(0.2)  # the last bytes leave before the port is closed
        except (OSError, TransportError, struct.error, Gone):
            pass
        try:
            self._link.close()
        except OSError:
            pass

    def _require_free(self) -> None:
        """Raises Refused unless the prompt is there or safe mode answers. Sends nothing that stops a program."""
        self._write(b"\r\x02")  # Ctrl-B: from raw REPL to the prompt
        heard = self._read(_PROMPT, _LOOK_S)
        until = time.monotonic() + _ASK_S
        while _PROMPT not in heard and _SAFE_MODE not in heard:
            if time.monotonic() >= until:
                raise Refused(_why(heard))
            self._write(b"\nkassa info\n")
            heard = heard[-256:] + self._read(_SAFE_MODE, _LOOK_S)

    def _enter(self) -> None:
        """Enter the raw REPL; safe mode ends here."""
        self._write(b"\r\x03\x03")
        self._read(_PROMPT, _LOOK_S)
        self._fresh_prompt()
        self._link.in_raw_repl = True

    def _interrupt(self) -> None:
        """Stop the script that runs. Raises Gone if that does not help."""
        try:
            self._write(b"\x03")
            if self._read(_END + b">", _STOP_S).endswith(_END + b">"):
                self._fresh_prompt()
                return
        except OSError as error:
            raise Gone(plain(str(error))) from None
        raise Gone("it does not stop")

    def _fresh_prompt(self) -> None:
        """Leave the raw REPL's prompt unread, as mpremote expects it before a script."""
        self._write(b"\r\x01")
        heard, end = (
            b"",
            time.monotonic() + _STOP_S,
        )  # byte by byte, and with an end even if the port never falls silent
        while not heard.endswith(b"raw REPL; CTRL-B to exit\r\n"):
            if time.monotonic() >= end:
                raise TransportError("could not enter raw repl")
            heard += self._link.serial.read(1)
        self._busy = False

    def _write(self, data: bytes) -> None:
        self._link.serial.write(data)

    def _read(self, ending: bytes, within_s: float) -> bytes:
        """What arrives until `ending`, or until the time is up."""
        try:
            end = time.monotonic() + within_s
            return self._until(ending, b"", lambda: end)[0] + ending
        except TimeoutError as late:
            return late.args[0]

    def _line(self, data: bytes, deadline: Callable[[], float]) -> tuple[bytes, bytes]:
        """The next line, or the last part up to and with the end of the output; and what came after it."""
        while True:
            ends = [at for at in (data.find(b"\n"), data.find(_END)) if at >= 0]
            if ends:
                at = min(ends) + 1
                return data[:at], data[at:]
            data += self._more(deadline, data)

    def _until(self, ending: bytes, data: bytes, deadline: Callable[[], float]) -> tuple[bytes, bytes]:
        """What arrives up to `ending`, without it; and what came after it. Raises TimeoutError(what arrived)."""
        while ending not in data:
            data += self._more(deadline, data)
        head, _, tail = data.partition(ending)
        return head, tail

    def _more(self, deadline: Callable[[], float], so_far: bytes) -> bytes:
        """At least one byte. Raises TimeoutError(so_far) at the deadline, OSError if the port is gone."""
        serial: Any = self._link.serial
        while True:
            if time.monotonic() >= deadline():
                raise TimeoutError(so_far)
            if serial.in_waiting:
                break
            time.sleep(_POLL_S)
        return serial.read(serial.in_waiting)


def _why(heard: bytes) -> str:
    """Why a board is refused, from what it sent."""
    how = "Start safe mode (hold C and E at power-on, or reset the board three times within a minute), then try again."
    text = heard.strip()
    if not text:
        return (
            "no prompt. If this board is a terminal at work, it is not interrupted: it may be selling. "
            f"{how} If it is not, check port, cable and power."
        )
    if sum(byte < 128 for byte in text) < 0.9 * len(text):
        return f"the port sends what is no text ({text[:16].hex(' ')}): check that it is the board's, and its baud rate"
    return f"no prompt, only {plain(text[-60:].decode('ascii', 'replace'))!r}: another program runs, and is not interrupted. {how}"
