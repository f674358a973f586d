# SPDX-License-Identifier: MIT
"""The power supply: starts and kills the MicroPython process that is the terminal, and records its console."""

import fcntl
import os
import subprocess
import termios
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BOARD = ROOT / "boards" / "unix"
AES_ESP32 = BOARD / "aes_esp32"  # an overlay: cipher objects with the memory layout of an ESP32's
FIRMWARE = ROOT / "firmware"
_TRACEBACK = b"Traceback (most recent call last)"


class Power:
    """One terminal's process. `source` is a folder with main.py or a romfs image; `heap` is a limit such as "96k".

    It runs in `home`, which holds flash.bin, efuse.bin and console.log. `slowness` is how many times longer than usual
    anything may take. Modules in the folder `overlay` take precedence over those of the board and the interpreter. Raises
    ValueError for an image with an overlay: an image has its own.
    """

    slowness = 1

    def __init__(
        self, home: Path, micropython: str, source: Path, heap: str | None, bus_port: int, overlay: Path | None = None
    ) -> None:
        self.console_path = home / "console.log"
        self.console_path.touch()
        # File descriptor of a serial line that is the console instead of console.log. When main.py has ended, it gives the
        # prompt, as on a chip; if it has ISIG, Ctrl-C interrupts.
        self.line: int | None = None
        self.exit_code: int | None = None  # set when the process has ended by itself
        self._home = home
        self._bus_port = bus_port
        self._process: subprocess.Popen[bytes] | None = None
        self._checked = self.console_path.stat().st_size
        folders = ([overlay] if overlay else []) + [BOARD, source] + ([FIRMWARE] if source != FIRMWARE else [])
        self._path = ":".join([*map(str, folders), ".frozen"])
        self._command = [os.path.abspath(micropython), *(["-X", f"heapsize={heap}"] if heap else [])]
        self._command.append(str(BOARD / "start.py"))
        if source.suffix == ".romfs":
            if overlay:
                raise ValueError("an image takes no overlay")
            self._path = ".frozen"
            self._command.append(str(source))

    @property
    def running(self) -> bool:
        """Whether the process is alive. Records its exit code if it ended by itself."""
        if self._process is None:
            return False
        self.exit_code = self._process.poll()
        if self.exit_code is None:
            return True
        self._process = None
        return False

    @property
    def pid(self) -> int | None:
        """The process id, None without power."""
        return self._process.pid if self.running and self._process is not None else None

    def start(self) -> None:
        """Start the terminal. Raises RuntimeError if it is already running."""
        if self.running:
            raise RuntimeError("the terminal is on already")
        self.exit_code = None
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CACHE_HOME") if name in os.environ}
        line = self.line
        if line is not None:
            kept["MICROPYINSPECT"] = "1"
        with open(self.console_path, "ab") as console:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._home,
                env={**kept, "MICROPYPATH": self._path, "KASSA_WORLD": str(self._bus_port)},
                stdin=subprocess.DEVNULL if line is None else line,
                stdout=console if line is None else line,
                stderr=subprocess.STDOUT,
                start_new_session=line is not None,
                preexec_fn=None if line is None else lambda: fcntl.ioctl(line, termios.TIOCSCTTY, 1),
            )

    def kill(self) -> None:
        """Cut the power: the process is gone when this returns."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def console(self) -> str:
        """Everything the terminal has printed, over all power cycles."""
        return self.console_path.read_bytes().decode(errors="replace")

    def fresh_traceback(self) -> str | None:
        """The console from the first unreported traceback on, or None."""
        if self.console_path.stat().st_size == self._checked:
            return None
        printed = self.console_path.read_bytes()
        at = printed.find(_TRACEBACK, max(0, self._checked - len(_TRACEBACK)))
        self._checked = len(printed)
        return printed[at:].decode(errors="replace") if at >= 0 else None
