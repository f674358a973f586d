# SPDX-License-Identifier: MIT
"""Decides from what is on a chip whether a new layout may be written, and what must be erased first.

A terminal's data are its payments (journal), keys (keyring), settings, card tables, and the device secret in NVS. They are
never moved and never erased: where the new layout would, it is refused.
"""

from collections.abc import Callable

from tools.hardware.partitions import KEPT, Partition, TableError, unpack

_SECTOR = 4096
_MAGICS = {  # how a sector in use begins: docs/journal.md, docs/keys.md
    "journal": (b"KJ",),
    "keyring": (b"KR", b"D0"),  # D0...: the initial key's TR-31 block
    "settings": (b"KS\x01",),
    "cards": (b"KC\x01",),
}
_SECRET = b"kassa\0"  # the namespace of the device secret, as an NVS page names it


class Refused(Exception):
    """The chip stays as it is. The message is for the person at the keyboard."""


def holds_data(label: str, content: bytes) -> bool:
    """Whether the bytes of a partition are a terminal's."""
    if label == "nvs":
        return _SECRET in content
    return any(content.startswith(_MAGICS[label], at) for at in range(0, len(content), _SECTOR))


def to_erase(table: bytes, new: list[Partition], flash_size: int, read: Callable[[int, int], bytes]) -> list[Partition]:
    """The partitions to blank before writing: a terminal's, where something else lies now.

    `table`: what is at the chip's table address. `read(address, size)` reads the chip. Raises Refused.
    """
    for row in new:
        if row.end > flash_size:
            raise Refused(f"{row.label} would end at {row.end:#x}, the chip's flash has {flash_size:#x} bytes")
    ours = [row for row in new if row.label in ("nvs", *KEPT)]
    old = _old_rows(table)
    for label in ("nvs", *KEPT):
        was, now = old.get(label), next(row for row in ours if row.label == label)
        moves = was is not None and (was.address, was.size) != (now.address, now.size)
        if was is not None and moves and _in_use(label, read(was.address, was.size)):
            raise Refused(
                f"this chip is a terminal with data in {label}: it lies at {was.address:#x} with {was.size:#x} bytes, and "
                f"the new layout wants it at {now.address:#x} with {now.size:#x}. Settle its payments, then erase the chip."
            )
    erase = []
    for row in ours:
        was = old.get(row.label)
        if was is not None and (was.address, was.size) == (row.address, row.size):
            continue
        content = read(row.address, row.size)
        if not holds_data(row.label, content) and content.strip(b"\xff"):
            erase.append(row)
    return erase


def _old_rows(table: bytes) -> dict[str, Partition]:
    if not table.strip(b"\xff"):
        return {}
    try:
        return {row.label: row for row in unpack(table)}
    except TableError as error:
        raise Refused(
            f"what is at the chip's table address: {error}. Whether it is a terminal cannot be told. If it is none, erase "
            "the chip with esptool erase-flash."
        ) from None


def _in_use(label: str, content: bytes) -> bool:
    """Stricter than `holds_data` for what a terminal alone writes: anything but blank counts."""
    return holds_data(label, content) if label == "nvs" else bool(content.strip(b"\xff"))
