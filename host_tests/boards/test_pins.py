# SPDX-License-Identifier: MIT
"""The pins of every ESP32 board: each used once, existing, and fit for what it is used for."""

from __future__ import annotations

from pathlib import Path

import pytest
from esptool.targets import CHIP_DEFS

from tools.hardware import pins
from tools.hardware.catalogue import BoardFolder, board, boards
from tools.hardware.chips import CHIPS, ESP32, ESP32S3, Chip

PARTS = {
    "Display": (5, 7),
    "Reader": (6, 6),
    "Keypad": (8, 8),
    "Printer": (2, 2),
    "Scanner": (2, 2),
    "Buzzer": (0, 1),
    "Light": (0, 1),
}  # fewest, most pins


def judged(tmp_path: Path, name: str, old: str, new: str) -> list[str]:
    """What is wrong with a board after one change to its board.py."""
    whole = board(name)
    text = (whole.folder / "board.py").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "board.py").write_text(text.replace(old, new), encoding="utf-8")
    return pins.judge(tmp_path / "board.py", whole.chip)


def test_every_folder_for_a_chip_is_looked_at() -> None:
    found = {path.parent.name for path in (board("kassa_s3").folder.parent).glob("*/board.py")} - {"unix"}
    assert found == {each.name for each in boards()} == {"kassa_s3", "kassa_esp32"}


@pytest.mark.parametrize("each", boards(), ids=lambda each: each.name)
def test_every_pin_of_a_board_is_right(each: BoardFolder) -> None:
    assert pins.judge(each.folder / "board.py", each.chip, each.psram) == []
    uses = pins.uses(each.folder / "board.py", each.chip)
    for part, (fewest, most) in PARTS.items():
        assert fewest <= sum(use.what.startswith(part) for use in uses) <= most, part
    assert all(use.what.startswith(tuple(PARTS)) for use in uses)


def test_the_s3_leaves_the_pins_of_octal_psram_free() -> None:
    uses = pins.uses(board("kassa_s3").folder / "board.py", ESP32S3)
    assert not {use.gpio for use in uses} & set(range(33, 38))


@pytest.mark.parametrize(
    ("name", "old", "new", "expected"),
    [
        ("kassa_s3", "tx=8, rx=1", "tx=47, rx=48", "GPIO 47 (Scanner TX): already used by Keypad column 2"),
        ("kassa_s3", "tx=8, rx=1", "tx=47, rx=48", "GPIO 48 (Scanner RX): already used by Keypad column 3"),
        ("kassa_s3", "output(10)", "output(24)", "GPIO 24 (Display CS): does not exist on esp32s3"),
        ("kassa_s3", "output(10)", "output(19)", "GPIO 19 (Display CS): native USB"),
        ("kassa_s3", "output(10)", "output(27)", "GPIO 27 (Display CS): SPI flash"),
        ("kassa_s3", "output(10)", "output(35)", "GPIO 35 (Display CS): octal"),
        ("kassa_s3", "output(10)", "output(43)", "GPIO 43 (Display CS): UART0"),
        ("kassa_s3", "mosi=Pin(11)", "mosi=Pin(8)", "SPI(1): 40000000 Hz needs the pins of the IO_MUX"),
        ("kassa_s3", "tx=8, rx=1", "rx=1", "UART(2): names no tx"),
        ("kassa_esp32", "output(15)", "output(34)", "GPIO 34 (Display CS): out on a pin that is an input only"),
        ("kassa_esp32", "_ROWS = (25", "_ROWS = (39", "GPIO 39 (Keypad row 1): open-drain on a pin that is an input"),
        ("kassa_esp32", "Pin(pin, Pin.IN)", "Pin(pin, Pin.IN, Pin.PULL_UP)", "GPIO 34 (Keypad column 1): pull-up on a"),
        ("kassa_esp32", "tx=22", "tx=1", "GPIO 1 (Scanner TX): UART0"),
        ("kassa_esp32", "tx=22", "tx=35", "GPIO 35 (Scanner TX): out on a pin that is an input only"),
        ("kassa_esp32", "tx=22", "tx=9", "GPIO 9 (Scanner TX): SPI flash"),
        ("kassa_esp32", "tx=22", "tx=40", "GPIO 40 (Scanner TX): does not exist on esp32"),
        ("kassa_esp32", "mosi=Pin(13)", "mosi=Pin(12)", "SPI(1): 40000000 Hz needs the pins of the IO_MUX"),
        ("kassa_esp32", "tx=22", "tx=16", "GPIO 16 (Scanner TX): already used by Printer RX"),
    ],
)
def test_a_wrong_pin_is_noticed(tmp_path: Path, name: str, old: str, new: str, expected: str) -> None:
    assert any(line.startswith(expected) for line in judged(tmp_path, name, old, new))


def test_a_pin_that_reaches_no_driver_counts_too(tmp_path: Path) -> None:
    old = "        self.wifi ="
    bad = judged(tmp_path, "kassa_esp32", old, f"        Pin(35, Pin.OUT)\n        Pin(7, Pin.OUT)\n{old}")
    assert any(line.startswith("GPIO 7 (not named): SPI flash") for line in bad)


def test_a_wrover_has_no_room_for_the_printer() -> None:
    bad = pins.judge(board("kassa_esp32").folder / "board.py", ESP32, psram=True)
    assert [line.split(":")[0] for line in bad] == ["GPIO 17 (Printer TX)", "GPIO 16 (Printer RX)"]


@pytest.mark.parametrize("chip", CHIPS.values(), ids=lambda chip: chip.name)
def test_the_rules_of_a_chip_fit_together(chip: object) -> None:
    rules = chip
    assert isinstance(rules, type(ESP32))
    for named in (rules.input_only, rules.forbidden, rules.with_psram, rules.strapping):
        assert set(named) <= rules.pins


def test_the_classic_board_uses_every_pin_of_a_30_pin_board() -> None:
    header = {36, 39, 34, 35, 32, 33, 25, 26, 27, 14, 12, 13, 23, 22, 21, 19, 18, 5, 17, 16, 4, 2, 15}
    uses = pins.uses(board("kassa_esp32").folder / "board.py", ESP32)
    assert {use.gpio for use in uses} == header
    assert {use.gpio for use in uses if pins.externally_pulled(use, ESP32)} == {34, 35, 36, 39}


@pytest.mark.parametrize("chip", CHIPS.values(), ids=lambda chip: chip.name)
def test_numbers_of_a_chip_are_those_of_esptool(chip: Chip) -> None:
    rom = CHIP_DEFS[chip.name]
    assert (chip.image_id, chip.bootloader) == (rom.IMAGE_CHIP_ID, rom.BOOTLOADER_FLASH_OFFSET)
