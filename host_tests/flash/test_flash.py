# SPDX-License-Identifier: MIT
"""`make flash`: a fresh chip gets everything; a terminal keeps its data; what does not fit is refused untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tests.flash.chip_stand_in import ChipStandIn, official
from tools.flash.__main__ import flash, parts
from tools.flash.esptool import Device, EsptoolError
from tools.flash.official import OfficialError, read
from tools.flash.survey import Refused
from tools.hardware import partitions
from tools.hardware.catalogue import BoardFolder, board, boards
from tools.hardware.chips import ESP32, ESP32S3
from tools.hardware.partitions import KEPT, Partition
from tools.image.__main__ import FILESYSTEM, TABLE, build

MB = 1024 * 1024
MAGIC = {"journal": b"KJ\x03", "keyring": b"KR\x02", "settings": b"KS\x01", "cards": b"KC\x01", "nvs": b"..kassa\0"}


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """build/image, with a folder for each board."""
    home = tmp_path_factory.mktemp("image")
    for each in boards():
        build(each, home / each.name)
    return home


def device(chip: ChipStandIn, target: BoardFolder) -> Device:
    return Device("/dev/ttyUSB9", target.chip.name, (), chip)


def written(images: Path, target: BoardFolder) -> dict[int, bytes]:
    return parts(target, official(target.chip), images / target.name)


def rows_of(images: Path, target: BoardFolder) -> dict[str, Partition]:
    return {row.label: row for row in partitions.unpack((images / target.name / TABLE).read_bytes())}


def terminal(images: Path, target: BoardFolder, size: int) -> tuple[ChipStandIn, dict[str, bytes]]:
    """A chip with this layout and data in every partition that must stay, and what those hold."""
    chip = ChipStandIn(size)
    flash(target, device(chip, target), written(images, target))
    held = {}
    for label, magic in MAGIC.items():
        row = rows_of(images, target)[label]
        held[label] = (magic + label.encode()).ljust(row.size - 7, b"\xa5").ljust(row.size, b"\xff")
        chip.put(row.address, held[label])
    chip.commands.clear()
    return chip, held


def kept(images: Path, target: BoardFolder, chip: ChipStandIn) -> dict[str, bytes]:
    rows = rows_of(images, target)
    return {label: bytes(chip.flash[rows[label].address : rows[label].end]) for label in MAGIC}


@pytest.mark.parametrize("target", boards(), ids=lambda each: each.name)
def test_a_fresh_chip_gets_image_table_and_firmware_in_one_go(images: Path, target: BoardFolder) -> None:
    chip = ChipStandIn(target.flash_size)
    flash(target, device(chip, target), written(images, target))
    assert chip.changes() == ["write-flash"]
    whole = official(target.chip)
    base, rows = target.chip.bootloader, rows_of(images, target)
    found = read(whole, target.chip)
    assert chip.flash[base : base + len(found.bootloader)] == found.bootloader
    assert chip.flash[0x10000 : 0x10000 + len(found.program)] == found.program == whole[0x10000 - base :]
    assert chip.flash[0x8000:0x8C00] == (images / target.name / TABLE).read_bytes()
    vfs = rows["vfs"]
    assert chip.flash[vfs.address : vfs.end] == (images / target.name / FILESYSTEM).read_bytes()
    assert all(not content.strip(b"\xff") for content in kept(images, target, chip).values())
    assert chip.commands[-1][7:9] == ["--flash-size", f"{target.flash_size // MB}MB"]


@pytest.mark.parametrize("target", boards(), ids=lambda each: each.name)
def test_a_terminal_keeps_every_byte_of_its_data(images: Path, target: BoardFolder) -> None:
    chip, held = terminal(images, target, target.flash_size)
    flash(target, device(chip, target), written(images, target))
    assert chip.changes() == ["write-flash"]
    assert kept(images, target, chip) == held


@pytest.mark.parametrize("label", MAGIC)
@pytest.mark.parametrize("target", boards(), ids=lambda each: each.name)
def test_a_layout_that_would_move_a_terminals_data_is_refused(images: Path, target: BoardFolder, label: str) -> None:
    """The chip was laid out with one partition elsewhere: beginning or ending a sector elsewhere."""
    for change in ((0x1000, -0x1000), (0, -0x1000)):
        chip, _ = terminal(images, target, target.flash_size)
        rows = rows_of(images, target)
        row = rows[label]
        rows[label] = Partition(label, row.kind, row.subtype, row.address + change[0], row.size + change[1])
        chip.put(0x8000, partitions.pack(list(rows.values())))
        chip.put(rows[label].address, MAGIC[label])
        before = bytes(chip.flash)
        with pytest.raises(Refused, match=f"terminal with data in {label}"):
            flash(target, device(chip, target), written(images, target))
        assert chip.changes() == [] and bytes(chip.flash) == before


def test_a_moved_partition_that_is_blank_holds_nothing_back(images: Path) -> None:
    target = board("kassa_esp32")
    chip, _ = terminal(images, target, 4 * MB)
    rows = rows_of(images, target)
    row = rows["cards"]
    chip.put(row.address, b"\xff" * row.size)
    rows["cards"] = Partition("cards", 1, 0x43, row.address + 0x1000, row.size - 0x1000)
    chip.put(0x8000, partitions.pack(list(rows.values())))
    flash(target, device(chip, target), written(images, target))
    assert chip.changes() == ["write-flash"]


def test_what_another_program_left_is_blanked_where_a_terminals_data_will_lie(images: Path) -> None:
    """A chip with official MicroPython: its filesystem covers the journal, and its NVS holds no secret."""
    target = board("kassa_esp32")
    chip = ChipStandIn(4 * MB)
    chip.put(0x1000, official(ESP32))
    chip.put(0x200000, b"files" * 300_000)
    chip.put(0x9000, b"nvs.net80211")
    flash(target, device(chip, target), written(images, target))
    assert chip.changes() == ["erase-region", "write-flash"]
    held = kept(images, target, chip)
    assert held.pop("nvs").startswith(b"nvs.net80211")  # the stock table has it at the same place: it stays
    assert all(not content.strip(b"\xff") for content in held.values())


@pytest.mark.parametrize("table", ["blank", "stock"])
def test_a_terminal_whose_table_was_overwritten_keeps_its_data(images: Path, table: str) -> None:
    target = board("kassa_esp32")
    chip, held = terminal(images, target, 4 * MB)
    stock = official(ESP32)[0x7000:0x7C00]
    chip.put(0x8000, b"\xff" * 0xC00 if table == "blank" else stock)
    flash(target, device(chip, target), written(images, target))
    assert chip.changes() == ["write-flash"] and kept(images, target, chip) == held


def test_a_chip_with_a_damaged_table_is_left_alone(images: Path) -> None:
    target = board("kassa_esp32")
    chip, _ = terminal(images, target, 4 * MB)
    chip.flash[0x8024] ^= 1
    before = bytes(chip.flash)
    with pytest.raises(Refused, match="MD5 does not match"):
        flash(target, device(chip, target), written(images, target))
    assert chip.changes() == [] and bytes(chip.flash) == before


def test_a_chip_with_too_little_flash_is_refused(images: Path) -> None:
    target = board("kassa_s3")
    chip = ChipStandIn(4 * MB)
    with pytest.raises(Refused, match="0x400000 bytes, kassa_s3 needs 0x800000"):
        flash(target, device(chip, target), written(images, target))
    assert chip.changes() == []


def test_a_chip_that_does_not_tell_its_flash_is_an_error(images: Path) -> None:
    target = board("kassa_s3")
    with pytest.raises(EsptoolError, match="size"):
        flash(target, device(ChipStandIn(8 * MB, "unknown"), target), written(images, target))


@pytest.mark.parametrize(("change", "expected"), [
    (lambda image: official(ESP32S3), "for esp32s3, but the board has an esp32"),
    (lambda image: b"PK" + image, "does not begin with E9"),
    (lambda image: b"", "does not begin with E9"),
    (lambda image: image[:-1], "program of this image was cut short"),
    (lambda image: image[:0xF010], "program of this image was cut short"),
    (lambda image: image[: 0xF000 + 300] + b"x" + image[0xF000 + 301 :], "program of this image is damaged"),
    (lambda image: image[:300] + b"x" + image[301:], "bootloader of this image is damaged"),
    (lambda image: image[0xF000:], "not a whole image"),
])  # fmt: skip
def test_a_wrong_micropython_image_is_refused(change: object, expected: str) -> None:
    with pytest.raises(OfficialError, match=expected):
        read(change(official(ESP32)), ESP32)  # type: ignore[operator]


def test_a_program_that_is_too_large_is_refused(images: Path) -> None:
    target = board("kassa_esp32")
    with pytest.raises(Refused, match="factory: 1703936 bytes are too small"):
        parts(target, official(ESP32, 0x1A0000), images / target.name)


def test_a_filesystem_cut_short_and_a_missing_image_are_refused(images: Path, tmp_path: Path) -> None:
    target = board("kassa_esp32")
    with pytest.raises(Refused, match="run make image BOARD=kassa_esp32 first"):
        parts(target, official(ESP32), tmp_path)
    for name in (TABLE, FILESYSTEM):
        (tmp_path / name).write_bytes((images / target.name / name).read_bytes())
    (tmp_path / FILESYSTEM).write_bytes((tmp_path / FILESYSTEM).read_bytes()[:-4096])
    with pytest.raises(Refused, match="cut short"):
        parts(target, official(ESP32), tmp_path)


def test_no_write_ever_reaches_what_a_terminal_must_keep(images: Path) -> None:
    for target in boards():
        for address, content in written(images, target).items():
            end = -(-(address + len(content)) // 4096) * 4096
            for label in ("nvs", *KEPT):
                row = rows_of(images, target)[label]
                assert end <= row.address or address >= row.end, label
