# SPDX-License-Identifier: MIT
"""The power supply of an emulated ESP32: starts and kills the emulator, and records the chip's console."""

import os
from collections.abc import Callable
from pathlib import Path

from tools.emulator import chip
from tools.world.power import Power

_ROM = "esp32-v3-rom.bin"
_ACROSS = ("pc-bios", "qemu-bundle/usr/local/share/qemu", "../share/qemu", "../pc-bios")  # from the emulator's folder


class EmulatorError(Exception):
    """The emulator cannot be used: what it needs is missing."""


class EmulatorPower(Power):
    """One emulated chip. Its flash is chip.bin in `home`, made from flash.bin and efuse.bin at the first start.

    After each power cut flash.bin holds the terminal's own partitions as the chip left them. Raises EmulatorError if the
    emulator's ROM files are not found.
    """

    slowness = 30

    def __init__(self, home: Path, qemu: Path, image: Path, bus_port: int) -> None:
        super().__init__(home, str(qemu), Path("emulated"), None, bus_port)
        self._image = image
        self._flash = home / "chip.bin"
        self._command = [
            *(os.path.abspath(qemu), "-M", "esp32", "-m", "4M"),  # 4 MB of PSRAM
            *("-icount", "shift=3"),  # 8 ns an instruction: the chip's clock does not run on while the computer is busy
            *("-display", "none", "-monitor", "none", "-L", str(_roms(qemu))),
            *("-drive", f"file={self._flash},if=mtd,format=raw", "-nic", "user,model=esp32_wifi"),
            *("-chardev", f"file,id=console,path={self.console_path},append=on", "-serial", "chardev:console"),
            *("-serial", f"tcp:127.0.0.1:{bus_port},nodelay=on"),
        ]

    def start(self) -> None:
        if not self._flash.exists():
            self._flash.write_bytes(chip.build(self._image, self._home))
        super().start()

    def kill(self) -> None:
        super().kill()
        self.read_out()

    def read_out(self) -> None:
        """Bring flash.bin up to date."""
        if self._flash.exists():
            (self._home / "flash.bin").write_bytes(chip.own_partitions(self._flash.read_bytes()))


def named() -> Callable[[Path, int], EmulatorPower] | None:
    """The power supply that KASSA_EMULATOR (QEMU) and MICROPYTHON_IMAGE name, or None without KASSA_EMULATOR.

    Raises EmulatorError if there is no such file.
    """
    qemu = os.environ.get("KASSA_EMULATOR")
    if not qemu:
        return None
    image = os.environ.get("MICROPYTHON_IMAGE", "")
    for path in (qemu, image):
        if not Path(path).is_file():
            raise EmulatorError(f"no file {path!r}: KASSA_EMULATOR and MICROPYTHON_IMAGE must name files")
    return lambda home, bus_port: EmulatorPower(home, Path(qemu), Path(image), bus_port)


def _roms(qemu: Path) -> Path:
    """The folder with the chip's ROM: beside the emulator as it was built or installed."""
    for folder in _ACROSS:
        if (qemu.resolve().parent / folder / _ROM).exists():
            return qemu.resolve().parent / folder
    raise EmulatorError(f"no {_ROM} near {qemu}: this emulator has no ESP32")
