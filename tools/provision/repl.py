# SPDX-License-Identifier: MIT
"""MicroPython's raw REPL at a serial port, through mpremote's transport.

Each answer of the chip is one line, `kassa: CRC-32 JSON`, so that garbage is never taken for an answer. What is sent and
what is answered is neither printed nor logged: some of it is secret.
"""

import contextlib
import io
import json
import struct
import zlib
from pathlib import Path
from types import TracebackType
from typing import Any

import serial
from mpremote.transport import TransportError, TransportExecError
from mpremote.transport_serial import SerialTransport

from tools import serial_port
from tools.provision.errors import ChipFailed, LinkLost

_BAUD = 115200
_BYTE_S = 5.0  # the longest silence within an answer
_CALL_S = 30  # the longest step: reading a whole journal on the chip
_ENTER_S, _TRIES = 6, 3  # a chip that has just been reset needs a second Ctrl-C
_RESTART = "import machine\nmachine.RTC().memory(b'')\nmachine.reset()"  # forget the resets so far, and start
_INSIDE = Path(__file__).with_name("inside")


class Repl:
    """The chip at a serial port, in its raw REPL after a soft reset. A context manager: leaving it starts the firmware again,
    whatever happened, so that a terminal which was refused goes on selling.
    """

    def __init__(self, port: str) -> None:
        """Stop what the chip is doing. Raises LinkLost if no MicroPython answers."""
        self._started = False
        try:
            self._line = SerialTransport(port, _BAUD, timeout=_BYTE_S)
        except (TransportError, OSError, ValueError) as error:
            raise LinkLost(serial_port.why(port, error)) from None
        try:
            self._enter(port)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "Repl":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if not self._started and not isinstance(error, LinkLost):
                self.restart()
        except LinkLost:
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Close the port. The chip stays at its REPL."""
        with contextlib.suppress(OSError):
            self._line.close()
        with contextlib.suppress(OSError):
            self._line.serial.close()

    def load(self, name: str) -> None:
        """Run one of the files in inside/. Raises LinkLost, ChipFailed."""
        self._run((_INSIDE / name).read_text(encoding="utf-8"))

    def first(self) -> dict[str, Any]:
        """Load facts.py and return its answer, a dict. Raises LinkLost, ChipFailed."""
        found = _parse(self._run((_INSIDE / "facts.py").read_text(encoding="utf-8")))
        if not isinstance(found, dict):
            raise LinkLost("the chip answers garbage")
        return found

    def call(self, function: str, *arguments: int | str) -> Any:
        """Call a function of inside/steps.py. Returns its value. Raises LinkLost, ChipFailed."""
        return _parse(self._run(f"feed()\nanswer({function}({', '.join(map(repr, arguments))}))"))

    def restart(self) -> None:
        """Start the firmware, which ends the connection. Raises LinkLost if it cannot be sent."""
        with self._guarded():
            self._line.exec_raw_no_follow(_RESTART)
        self._started = True

    def _enter(self, port: str) -> None:
        for attempt in range(_TRIES):
            try:
                with contextlib.redirect_stdout(io.StringIO()):  # mpremote prints what it did not expect
                    self._line.enter_raw_repl(timeout_overall=_ENTER_S)
                return
            except TransportError:
                if attempt == _TRIES - 1:
                    raise LinkLost(
                        f"{port}: no MicroPython answers; check that this is the chip's port, press EN and try again"
                    ) from None
            except OSError as error:  # SerialException is one
                raise LinkLost(f"{port}: {error}") from None

    def _run(self, code: str) -> bytes:
        with self._guarded():
            printed, error = self._line.exec_raw(code, timeout=_CALL_S)
        if error:
            raise ChipFailed(f"the chip says: {error.decode('utf-8', 'replace').strip().splitlines()[-1]}")
        return printed

    @contextlib.contextmanager
    def _guarded(self) -> Any:
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                yield
        except (TransportError, TransportExecError, struct.error):
            raise LinkLost("the chip answers garbage, or nothing; run the command again") from None
        except (OSError, serial.SerialException):
            raise LinkLost("the connection to the chip was lost; run the command again") from None


def _parse(printed: bytes) -> Any:
    """The value in the last line of what the chip printed. Raises LinkLost."""
    for line in reversed(printed.splitlines()):
        head, _, rest = line.partition(b" ")
        check, _, text = rest.partition(b" ")
        if head != b"kassa:":
            continue
        try:
            if zlib.crc32(text) == int(check, 16):
                return json.loads(text)
        except ValueError:
            break
        break
    raise LinkLost("an answer of the chip arrived damaged; run the command again")
