# SPDX-License-Identifier: MIT
"""A chip on the bench: MicroPython's REPL behind a serial port, with a cable that can be pulled and is listened to."""

from __future__ import annotations

import os
import select
import subprocess
import threading
import time
import tty
from collections.abc import Callable
from pathlib import Path

from tools.world import interpreter
from tools.world.flash import CHIP_SIZE
from tools.world.power import BOARD, FIRMWARE

_CHIP = Path(__file__).parent / "chip"
_RAW = b"raw REPL; CTRL-B to exit\r\n>"
_SOFT_RESET = b"MPY: soft reboot\r\n"


class Chip:
    """`home` holds flash.bin and efuse.bin. The chip has power while the cable is in; `port` is new with each `plug`."""

    def __init__(self, home: Path, firmware: bool = True, esp32: bool = True, worn: str = "") -> None:
        """`firmware`: Kassa is on it. `esp32`: it is one. `worn`: the label of a partition that does not hold its bits."""
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.port = ""
        self.heard = bytearray()  # everything that crossed the cable, both ways
        self.sent = 0  # bytes to the chip since it was plugged in
        self.pull_after = 0  # pull the cable when so many have been sent; 0 = never
        self._path = ":".join(
            map(str, [*([_CHIP, BOARD] if esp32 else []), *([FIRMWARE] if firmware else []), ".frozen"])
        )
        self._worn = worn
        self._lock, self._pulling = threading.Lock(), threading.Lock()
        self._in = False
        if not (home / "flash.bin").exists():
            (home / "flash.bin").write_bytes(b"\xff" * CHIP_SIZE)

    @property
    def was_reset(self) -> bool:
        """Whether the terminal was started at the end."""
        return (self.home / "was_reset").exists()

    @property
    def secret(self) -> bytes:
        return (self.home / "efuse.bin").read_bytes()

    def wait(self, done: Callable[[], bool]) -> None:
        """Wait until the chip has done something. Asserts that it does within 10 s."""
        until = time.monotonic() + 10
        while not done():
            assert time.monotonic() < until, "the chip does not do it"
            time.sleep(0.02)

    def plug(self) -> str:
        """Plug the cable in; returns the port."""
        self._desk, self._port = os.openpty()
        tty.setraw(self._port)
        # Pipes, as the Unix port drops what a terminal has not read yet each time that it goes back to raw mode.
        self._input, self._console = os.pipe()
        self._said, self._output = os.pipe()
        self._in, self.sent = True, 0
        self._start()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._to_chip, self._to_desk)]
        for thread in self._threads:
            thread.start()
        self.port = os.ttyname(self._port)
        return self.port

    def pull(self) -> None:
        """Pull the cable: no power, no port. Does nothing if it is out. If it is being pulled, waits until it is out."""
        with self._pulling:
            with self._lock:
                if not self._in:
                    return
                self._in = False
                self._process.kill()
                self._process.wait()
            for thread in self._threads:
                if thread is not threading.current_thread():
                    thread.join()
            for end in (self._desk, self._port, self._input, self._console, self._said, self._output):
                os.close(end)

    def _start(self) -> None:
        environment = {
            "MICROPYPATH": self._path,
            "KASSA_ESP32": str(BOARD / "esp32.py"),
            "KASSA_WORN": self._worn,
            "PATH": os.environ["PATH"],
        }
        self._process = subprocess.Popen(
            [os.path.abspath(interpreter.micropython()), "-i"],  # a prompt, although it is no terminal
            cwd=self.home,
            env=environment,
            stdin=self._input,
            stdout=self._output,
            stderr=self._output,
        )

    def _to_chip(self) -> None:
        while self._in:
            try:
                if not select.select([self._desk], [], [], 0.02)[0]:
                    continue
                data = os.read(self._desk, 4096)
                left = self.pull_after - self.sent if self.pull_after else len(data)
                self.heard += data
                self.sent += len(data)
                os.write(self._console, data[:left])
            except (OSError, ValueError):
                return
            if left <= len(data) and self.pull_after:
                self.pull()
                return  # the next `plug` starts its own

    def _to_desk(self) -> None:
        """Pass on what the chip says. Where it ends, as the Unix port does at a soft reset, it begins again, in raw mode."""
        while self._in:
            try:
                if select.select([self._said], [], [], 0.02)[0]:
                    data = os.read(self._said, 4096)
                    self.heard += data
                    os.write(self._desk, data)
                elif self._process.poll() is not None:
                    with self._lock:
                        if not self._in:
                            return
                        self._start()
                    os.write(self._desk, _SOFT_RESET + self._raw())
            except (OSError, ValueError):
                return

    def _raw(self) -> bytes:
        """Put a fresh process into raw mode; returns its prompt."""
        said, until = b"", time.monotonic() + 10
        while self._in and b">>> " not in said and time.monotonic() < until:
            if select.select([self._said], [], [], 0.02)[0]:
                said += os.read(self._said, 4096)
        os.write(self._console, b"\x01")
        while self._in and not said.endswith(_RAW) and time.monotonic() < until:
            if select.select([self._said], [], [], 0.02)[0]:
                said += os.read(self._said, 4096)
        return _RAW
