# SPDX-License-Identifier: MIT
"""The power plug: starts and kills the one MicroPython process that is the terminal, and keeps its console."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BOARD = ROOT / "boards" / "unix"
AES_ESP32 = BOARD / "aes_esp32"  # an overlay: cipher objects laid out as on an ESP32
FIRMWARE = ROOT / "firmware"
_TRACEBACK = b"Traceback (most recent call last)"


class Power:
    """One terminal's process. `source` is a folder with main.py or a romfs image; `heap` such as "96k".

    It runs in `home`, where the chip finds flash.bin and efuse.bin and the console goes to console.log. What `overlay`
    holds is imported before the board's and the interpreter's own modules; an image has its own.
    """

    def __init__(
        self, home: Path, micropython: str, source: Path, heap: str | None, bus_port: int, overlay: Path | None = None
    ) -> None:
        self.console_path = home / "console.log"
        self.console_path.touch()
        self.exit_code: int | None = None  # of a process that ended by itself
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
        """Is the process alive? Notes its exit code when it ended by itself."""
        if self._process is None:
            return False
        self.exit_code = self._process.poll()
        if self.exit_code is None:
            return True
        self._process = None
        return False

    @property
    def pid(self) -> int | None:
        """The process, None without power."""
        return self._process.pid if self.running and self._process is not None else None

    def start(self) -> None:
        """Start the terminal. Raises RuntimeError when it runs already."""
        if self.running:
            raise RuntimeError("the terminal is on already")
        self.exit_code = None
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "XDG_CACHE_HOME") if name in os.environ}
        with open(self.console_path, "ab") as console:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._home,
                env={**kept, "MICROPYPATH": self._path, "KASSA_WORLD": str(self._bus_port)},
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
            )

    def kill(self) -> None:
        """Pull the plug: the process is gone when this returns."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def console(self) -> str:
        """Everything the terminal printed, in all its lives."""
        return self.console_path.read_bytes().decode(errors="replace")

    def fresh_traceback(self) -> str | None:
        """The console from the first traceback that was not reported before, if there is one."""
        if self.console_path.stat().st_size == self._checked:
            return None
        printed = self.console_path.read_bytes()
        at = printed.find(_TRACEBACK, max(0, self._checked - len(_TRACEBACK)))
        self._checked = len(printed)
        return printed[at:].decode(errors="replace") if at >= 0 else None
