# SPDX-License-Identifier: MIT
"""Attacks on the chip: what the attacker changes, what he knows, and who notices. See the table in docs/attacks.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from host_tests.harness.host.terminal import mac
from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.long_runs import LONG
from host_tests.harness.vault import attacked_device
from host_tests.harness.vault.attacked_device import LAST, SIZE, Device, amount, pages, serial, tagged
from host_tests.harness.vault.lives import KEY
from tools.journal import image
from tools.world.power import ROOT

MARK = 32  # bytes of a mark
CHIP = "the chip alone"  # can read and write the chip, has no keys
SECRETS = "the chip and the device's secrets"  # can also make journal tags, but not seals of earlier payments
VICTIM = LAST - 8  # a pending record in the middle
Attack = Callable[[bytearray, Device], None]


@dataclass(frozen=True)
class Row:
    """`notices`: see attacked_device.aftermath; empty if the attack has no effect, or nobody can notice."""

    name: str
    knows: str
    attack: Attack
    notices: set[str]


def page_of(data: bytearray, sequence: int) -> int:
    return pages(bytes(data), sequence)[-1]


def swap(data: bytearray, first: int, second: int, size: int) -> None:
    data[first : first + size], data[second : second + size] = (
        data[second : second + size],
        data[first : first + size],
    )


def fill(value: int, *sequences: int) -> Attack:
    """Set every page of these records to one value."""

    def attack(data: bytearray, _: Device) -> None:
        for sequence in sequences:
            for at in pages(bytes(data), sequence):
                data[at : at + image.PAGE] = bytes([value]) * image.PAGE

    return attack


def swap_records(data: bytearray, _: Device) -> None:
    swap(data, page_of(data, VICTIM), page_of(data, VICTIM + 1), image.PAGE)


def swap_sectors(data: bytearray, _: Device) -> None:
    first, second = (page_of(data, sequence) // image.SECTOR for sequence in (VICTIM, LAST))
    swap(data, first * image.SECTOR, second * image.SECTOR, image.SECTOR)


def move_to_the_end(data: bytearray, _: Device) -> None:
    """Move a record to the first blank page of its sector."""
    at = page_of(data, LAST - 2)
    blank = first_blank(data)
    data[blank : blank + image.PAGE] = data[at : at + image.PAGE]
    data[at : at + image.PAGE] = b"\xff" * image.PAGE


def first_blank(data: bytearray) -> int:
    """The first blank page after the newest record."""
    at = page_of(data, LAST)
    while data[at : at + image.PAGE] != b"\xff" * image.PAGE:
        at += image.PAGE
    assert at // image.SECTOR == page_of(data, LAST) // image.SECTOR
    return at


def append_old_record(data: bytearray, device: Device) -> None:
    """Write a record from an old, closed lap to the next blank page."""
    old, at = pages(device.past[0], 5)[-1], first_blank(data)
    data[at : at + image.PAGE] = device.past[0][old : old + image.PAGE]


def replace_by_old_record(data: bytearray, device: Device) -> None:
    """Replace a pending record with one from an old, closed lap."""
    old, at = pages(device.past[0], 5)[-1], page_of(data, VICTIM)
    data[at : at + image.PAGE] = device.past[0][old : old + image.PAGE]


def replay_sector(sequence: int) -> Attack:
    """Restore a sector's content from the lap before."""

    def attack(data: bytearray, device: Device) -> None:
        at = page_of(data, sequence) // image.SECTOR * image.SECTOR
        older = [chip for chip in device.past if 0 < serial(chip, at) < serial(bytes(data), at)][-1]
        data[at : at + image.SECTOR] = older[at : at + image.SECTOR]

    return attack


def older_image(data: bytearray, device: Device) -> None:
    data[:] = device.past[0]


def all_blank(data: bytearray, _: Device) -> None:
    data[:] = b"\xff" * SIZE


def blank_newest_sector(data: bytearray, _: Device) -> None:
    at = page_of(data, LAST) // image.SECTOR * image.SECTOR
    data[at : at + image.SECTOR] = b"\xff" * image.SECTOR


def copy_in(tag: Callable[[bytes], bytes]) -> Attack:
    """Replace a pending record with another device's, sealed under that device's keys."""

    def attack(data: bytearray, _: Device) -> None:
        at = page_of(data, VICTIM)
        said = data[at : at + 64] + bytes(range(184))
        data[at : at + image.PAGE] = tag(bytes(said))

    return attack


def foreign_tag(said: bytes) -> bytes:
    return said + mac(bytes(16), said)


def change_amount(tag: Callable[[bytes], bytes] | None) -> Attack:
    """Multiply an amount by ten."""

    def attack(data: bytearray, _: Device) -> None:
        at = page_of(data, VICTIM)
        data[at + 24 : at + 30] = bytes.fromhex(f"{amount(VICTIM) * 10:012}")
        if tag:
            data[at : at + image.PAGE] = tag(bytes(data[at : at + 248]))

    return attack


def marks_of(data: bytearray, kind: int) -> list[int]:
    """Offsets of the valid marks of one kind, 0 = any kind."""
    found = []
    for at in range(0, SIZE, 16):
        cell = bytes(data[at : at + MARK])
        if cell[0] in image.MARKS and kind in (0, cell[0]) and image.holds(KEY, cell[:24], cell[24:]):
            found.append(at)
    return found


def without_mark(kind: int, value: int) -> Attack:
    """Set every mark of a kind to one value."""

    def attack(data: bytearray, _: Device) -> None:
        found = marks_of(data, kind)
        assert found
        for at in found:
            data[at : at + MARK] = bytes([value]) * MARK

    return attack


def forge_yes(data: bytearray, _: Device) -> None:
    """Make the last mark say that all records were approved and none is pending."""
    at = max(marks_of(data, 0), key=lambda at: (serial(bytes(data), at), at))
    cell = bytearray(data[at : at + 24])
    cell[0] = WATERMARK
    cell[4:8] = LAST.to_bytes(4, "big")
    cell[12:19] = bytes(7)
    data[at : at + MARK] = tagged(bytes(cell))


def remove_without_a_trace(data: bytearray, device: Device) -> None:
    """Blank a pending record, and correct every later count, including tags."""
    fill(0xFF, VICTIM)(data, device)
    for sector in range(0, SIZE, image.SECTOR):
        header = data[sector : sector + 40]
        if header[:2] == b"KJ" and int.from_bytes(header[8:12], "big") > VICTIM:
            header[14:16] = (int.from_bytes(header[14:16], "big") - 1).to_bytes(2, "big")
            header[24:29] = (int.from_bytes(header[24:29], "big") - amount(VICTIM)).to_bytes(5, "big")
            data[sector : sector + 48] = tagged(bytes(header))
    for at in marks_of(data, 0):
        cell = bytes(data[at : at + 24])
        if int.from_bytes(cell[10:12], "big") >= VICTIM:
            count, total = int.from_bytes(cell[12:14], "big") - 1, int.from_bytes(cell[14:19], "big") - amount(VICTIM)
            new = cell[:12] + count.to_bytes(2, "big") + total.to_bytes(5, "big") + cell[19:]
            data[at : at + MARK] = tagged(new)


def undo_unheard_sales(data: bytearray, device: Device) -> None:
    """Make two more sales that the host does not hear of, and keep the chip image from before them."""
    device.accept(2)


def renumber(data: bytearray, device: Device) -> None:
    """Remove a pending record and renumber all later ones, so that no number is missing."""
    remove_without_a_trace(data, device)
    for sequence in range(VICTIM + 1, LAST + 1):
        at = page_of(data, sequence)
        said = data[at : at + 248]
        said[4:8] = (sequence - 1).to_bytes(4, "big")
        data[at : at + image.PAGE] = tagged(bytes(said))
    for at in marks_of(data, 0):
        cell = data[at : at + 24]
        if int.from_bytes(cell[10:12], "big") >= VICTIM:
            cell[10:12] = (int.from_bytes(cell[10:12], "big") - 1).to_bytes(2, "big")
            data[at : at + MARK] = tagged(bytes(cell))


WATERMARK, REFUSED_MARK = 0x62, 0x63
_MISSED = {"reading", "gap"}  # the device counts a record that it cannot read; the host misses it
_BEHIND = {"handshake", "gap"}  # the host knows of more records
TABLE = [
    Row("blank a record", CHIP, fill(0xFF, VICTIM), _MISSED),
    Row("zero a record", CHIP, fill(0x00, VICTIM), _MISSED),
    Row("blank a record and correct every count", SECRETS, remove_without_a_trace, {"gap"}),
    Row("take a record out and renumber the rest", SECRETS, renumber, _BEHIND | {"seal"}),
    Row("blank the newest record", CHIP, fill(0xFF, LAST), _MISSED | {"handshake"}),
    Row("blank the mark of a refusal", CHIP, without_mark(REFUSED_MARK, 0xFF), {"totals"}),
    Row("zero the mark of a refusal", CHIP, without_mark(REFUSED_MARK, 0x00), {"totals"}),
    Row("blank the watermarks", CHIP, without_mark(WATERMARK, 0xFF), set()),
    Row("forge a yes for everything", SECRETS, forge_yes, {"gap"}),
    Row("swap two records", CHIP, swap_records, _MISSED),
    Row("swap two sectors", CHIP, swap_sectors, {"boot"}),
    Row("move a record within its sector", CHIP, move_to_the_end, _MISSED),
    Row("append a record of an older lap", CHIP, append_old_record, set()),
    Row("put a record of an older lap in a pending one's place", CHIP, replace_by_old_record, _MISSED),
    Row("put the newest sector's older content back", CHIP, replay_sector(LAST), _BEHIND),
    Row("put another sector's older content back", CHIP, replay_sector(VICTIM), _MISSED),
    Row("put an older image back", CHIP, older_image, _BEHIND),
    Row("blank everything", CHIP, all_blank, _BEHIND),
    Row("blank the newest sector", CHIP, blank_newest_sector, _BEHIND),
    Row("undo sales the host has not heard of", CHIP, undo_unheard_sales, set()),
    Row("copy another device's record in", CHIP, copy_in(foreign_tag), _MISSED),
    Row("copy another device's record in", SECRETS, copy_in(tagged), {"seal", "gap"}),
    Row("change an amount", CHIP, change_amount(None), _MISSED),
    Row("change an amount", SECRETS, change_amount(tagged), {"seal"}),
]


_ran: set[tuple[str, str, str]] = set()


@pytest.fixture(scope="module")
def past(inside: Inside, tmp_path_factory: pytest.TempPathFactory) -> Device:
    """A device with a history, for each interpreter."""
    return attacked_device.with_a_past(inside, tmp_path_factory.mktemp("past"))


@pytest.fixture
def device(past: Device, tmp_path: Path) -> Iterator[Device]:
    """A copy of `past`, connected to a copy of its host."""
    device = attacked_device.again(past, tmp_path)
    yield device
    attacked_device.disconnect(device)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.name}, {row.knows}")
def test_an_attack_is_noticed_by_exactly_those_expected(device: Device, row: Row) -> None:
    _ran.add((device.flash.inside.interpreter, row.name, row.knows))
    assert attacked_device.aftermath(device, row.attack) == row.notices


def test_every_attack_ran_and_is_documented(inside: Inside) -> None:
    ran = {(name, knows) for interpreter, name, knows in _ran if interpreter == inside.interpreter}
    print(f"attacks {len(TABLE)} ran {len(ran)}")
    assert not LONG or ran == {(row.name, row.knows) for row in TABLE}
    text = (ROOT / "docs" / "attacks.md").read_text("utf-8")
    assert [row.name for row in TABLE if f"| {row.name} |" not in text] == []
