# SPDX-License-Identifier: MIT
"""Partition tables: reads ESP-IDF's CSV, checks it, and writes and reads the binary form that the bootloader wants.

Binary form (ESP-IDF Programming Guide, Partition Tables; components/partition_table/gen_esp32part.py): entries of 32 bytes
`AA 50`, type, subtype, address u32, size u32, label 16 bytes, flags u32, little-endian; then `EB EB`, 14 bytes FF and the
MD5 of the entries; FF up to 0xC00 bytes.
"""

import hashlib
import struct
from dataclasses import dataclass
from pathlib import Path

TABLE_AT = 0x8000
TABLE_SIZE = 0xC00
FIRST_FREE = 0x9000  # after the sector of the table
APP, DATA = 0, 1
KEPT = ("journal", "keyring", "settings", "cards")  # what a terminal must never lose
_SECTOR = 4096
_APP_ALIGNMENT = 0x10000
_TYPES = {"app": APP, "data": DATA}
_SUBTYPES = {
    APP: {"factory": 0x00, **{f"ota_{slot}": 0x10 + slot for slot in range(16)}},
    DATA: {"ota": 0x00, "phy": 0x01, "nvs": 0x02, "coredump": 0x03, "nvs_keys": 0x04, "fat": 0x81, "spiffs": 0x82},
}
_OURS = {"journal": 0x40, "keyring": 0x41, "settings": 0x42, "cards": 0x43}
_ENTRY = struct.Struct("<2sBBII16sI")


class TableError(Exception):
    """Not a partition table, or a damaged one."""


@dataclass(frozen=True)
class Partition:
    """One row. Addresses and sizes in bytes."""

    label: str
    kind: int
    subtype: int
    address: int
    size: int
    flags: int = 0

    @property
    def end(self) -> int:
        """The first address after it."""
        return self.address + self.size


def parse_csv(text: str) -> list[Partition]:
    """The rows of a CSV whose every row gives its address. Raises TableError for a row it cannot read."""
    rows = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        cells = [cell.strip() for cell in line.split(",")]
        try:
            label, kind_word, subtype_word, address, size = cells[:5]
            kind = _TYPES[kind_word]
            named = _SUBTYPES[kind].get(subtype_word)
            subtype = int(subtype_word, 0) if named is None else named
            flags = {"": 0, "encrypted": 1}[cells[5] if len(cells) > 5 else ""]
            rows.append(Partition(label, kind, subtype, int(address, 0), int(size, 0), flags))
        except (ValueError, KeyError) as error:
            raise TableError(f"line {number}: {line!r}: {error}") from error
    return rows


def read_csv(path: Path) -> list[Partition]:
    """The rows of a CSV file. Raises TableError."""
    return parse_csv(path.read_text(encoding="utf-8"))


def problems(rows: list[Partition], flash_size: int, app_size: int = 0) -> list[str]:
    """What is wrong with a table for a flash chip of `flash_size` bytes, one line each.

    `app_size`: bytes that every app partition must hold.
    """
    bad = []
    labels = [row.label for row in rows]
    bad += [f"{label}: named twice" for label in sorted({label for label in labels if labels.count(label) > 1})]
    before: Partition | None = None
    for row in sorted(rows, key=lambda row: row.address):
        align = _APP_ALIGNMENT if row.kind == APP else _SECTOR
        if row.address % align:
            bad.append(f"{row.label}: address {row.address:#x} is not a multiple of {align:#x}")
        if row.size % _SECTOR or not row.size:
            bad.append(f"{row.label}: size {row.size:#x} is not a multiple of {_SECTOR:#x}")
        if row.address < FIRST_FREE:
            bad.append(f"{row.label}: begins at {row.address:#x}, where bootloader and table are")
        if row.end > flash_size:
            bad.append(f"{row.label}: ends at {row.end:#x}, behind the flash's {flash_size:#x}")
        if before is not None and row.address < before.end:
            bad.append(f"{row.label}: overlaps {before.label}")
        if row.kind == APP and row.size < app_size:
            bad.append(f"{row.label}: {row.size} bytes are too small for a program of {app_size}")
        if not 0 < len(row.label.encode()) <= 16:
            bad.append(f"{row.label!r}: a label has 1 to 16 bytes")
        if _OURS.get(row.label, row.subtype) != row.subtype or (row.label in _OURS and row.kind != DATA):
            bad.append(f"{row.label}: must be data, {_OURS[row.label]:#x}")
        before = row
    bad += [f"{label}: missing" for label in ("nvs", *_OURS) if label not in labels]
    if not any(row.kind == APP for row in rows):
        bad.append("no app partition")
    slots = [row for row in rows if row.kind == APP and row.subtype & 0xF0 == 0x10]
    if slots and not any(row.kind == DATA and row.subtype == 0 and row.size == 2 * _SECTOR for row in rows):
        bad.append("app slots without an otadata partition of 0x2000 bytes")
    return bad


def pack(rows: list[Partition]) -> bytes:
    """The binary table, TABLE_SIZE bytes."""
    entries = b"".join(
        _ENTRY.pack(b"\xaa\x50", row.kind, row.subtype, row.address, row.size, row.label.encode(), row.flags)
        for row in rows
    )
    table = entries + b"\xeb\xeb" + b"\xff" * 14 + hashlib.md5(entries).digest()
    if len(table) > TABLE_SIZE:
        raise TableError(f"{len(rows)} rows are too many")
    return table.ljust(TABLE_SIZE, b"\xff")


def unpack(table: bytes) -> list[Partition]:
    """The rows of a binary table. Raises TableError if it is none, or if its MD5 is wrong or missing."""
    rows = []
    for at in range(0, len(table) - _ENTRY.size + 1, _ENTRY.size):
        magic, kind, subtype, address, size, label, flags = _ENTRY.unpack_from(table, at)
        if magic == b"\xeb\xeb":
            if hashlib.md5(table[:at]).digest() != table[at + 16 : at + 32]:
                raise TableError("the table's MD5 does not match")
            return rows
        if magic != b"\xaa\x50":
            break
        rows.append(Partition(label.rstrip(b"\0").decode("utf-8", "replace"), kind, subtype, address, size, flags))
    raise TableError("not a partition table")
