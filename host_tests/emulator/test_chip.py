# SPDX-License-Identifier: MIT
"""What an emulated chip's flash holds; and the day in a shop on one, where there are an emulator and an image."""

import random
from pathlib import Path

import pytest
from littlefs import LittleFS

from host_tests.flash.chip_stand_in import official
from tools.emulator import chip, power
from tools.emulator.__main__ import play
from tools.emulator.power import EmulatorError, EmulatorPower
from tools.hardware import partitions
from tools.hardware.catalogue import OFFICIAL, board
from tools.hardware.chips import CHIPS
from tools.image import packing
from tools.whole_system import WholeSystem
from tools.world.flash import CHIP_SIZE, fill_in


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A terminal's folder whose partitions hold noise, and an official image."""
    folder = tmp_path_factory.mktemp("chip")
    fill_in(folder)
    (folder / "flash.bin").write_bytes(random.Random(14).randbytes(CHIP_SIZE))
    (folder / "image.bin").write_bytes(official(CHIPS["esp32"]))
    return folder


@pytest.fixture(scope="module")
def flash(home: Path) -> bytes:
    return chip.build(home / "image.bin", home)


def rows() -> dict[str, partitions.Partition]:
    return {row.label: row for row in partitions.read_csv(board("kassa_esp32").folder / OFFICIAL)}


def test_the_chip_has_the_boards_own_table_and_the_terminals_partitions(home: Path, flash: bytes) -> None:
    table = flash[partitions.TABLE_AT : partitions.TABLE_AT + partitions.TABLE_SIZE]
    assert partitions.unpack(table) == list(rows().values())
    assert len(flash) == chip.SIZE
    assert chip.own_partitions(flash) == (home / "flash.bin").read_bytes()


def test_the_filesystem_has_the_firmware_the_boards_file_and_the_way_to_the_world(flash: bytes) -> None:
    row = rows()["vfs"]
    files = LittleFS(
        block_size=4096, block_count=row.size // 4096, read_size=32, prog_size=32, lookahead_size=32, cache_size=128,
        disk_version=0x00020000, mount=False,
    )  # fmt: skip
    files.context.buffer = bytearray(flash[row.address : row.end])
    files.mount()
    found = set(files.listdir("/"))
    assert {"main.py", "boot.py", "packed.mpy", "transport.mpy", "machine.mpy", packing.NAME, "kassa"} <= found
    assert not {"board.py", "board.mpy", "boot.mpy"} & found
    with files.open(f"/{packing.NAME}", "rb") as packed:
        modules = packing.unpack(packed.read())
    assert {"board", "kassa/terminal"} <= {name.removesuffix(".mpy") for name in modules}


def test_the_secret_is_in_nvs(home: Path, flash: bytes) -> None:
    row = rows()["nvs"]
    store = flash[row.address : row.end]
    assert (home / "efuse.bin").read_bytes() in store
    assert b"kassa" in store and b"secret" in store


def test_an_emulator_without_the_chips_rom_is_refused(tmp_path: Path) -> None:
    fill_in(tmp_path)
    with pytest.raises(EmulatorError, match="esp32"):
        EmulatorPower(tmp_path, tmp_path / "qemu-system-xtensa", tmp_path / "image.bin", 1)


def test_a_name_without_a_file_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KASSA_EMULATOR", str(tmp_path / "none"))
    with pytest.raises(EmulatorError, match="KASSA_EMULATOR"):
        power.named()
    monkeypatch.delenv("KASSA_EMULATOR")
    assert power.named() is None


def test_the_host_waits_longer_for_an_emulated_chip(tmp_path: Path) -> None:
    with WholeSystem(
        tmp_path, power=lambda home, port: EmulatorPower(home, _emulator(tmp_path), Path(), port)
    ) as system:
        assert system.host.listener.limits.handshake_seconds == 120  # 15 were not enough on a busy computer


def _emulator(folder: Path) -> Path:
    """What is taken for an emulator as long as nobody starts it: a folder with the chip's ROM."""
    (folder / "pc-bios").mkdir()
    (folder / "pc-bios" / "esp32-v3-rom.bin").touch()
    return folder / "qemu-system-xtensa"


def test_the_day_in_a_shop_on_an_emulated_chip() -> None:
    made = power.named()
    if made is None:
        pytest.skip("needs KASSA_EMULATOR (a QEMU with an ESP32 and Wi-Fi) and MICROPYTHON_IMAGE")
    assert play(made)
