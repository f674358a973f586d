# SPDX-License-Identifier: MIT
"""Flash partitions: their sizes, and whether every byte can be read. Writes only to a partition proven blank, if asked."""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tools.hwtest.device.common import OPTIONS, Absent, Skip, row, start

_SECTOR, _PAGE = 4096, 256
_SIZES = (("journal", 0x100000), ("keyring", 0x8000), ("settings", 0x8000), ("cards", 0x8000))
_BATCH = 8  # sectors read between two turns of the event loop
_LIMIT_MS = 60000


async def used(part: "Any") -> "tuple[int, int]":
    """Read all of a partition: its sectors, and how many of them hold data."""
    buffer, blank = bytearray(_SECTOR), b"\xff" * _SECTOR
    count = part.ioctl(4, 0)
    filled = 0
    for sector in range(count):
        part.readblocks(sector, buffer, 0)
        filled += buffer != blank
        if sector % _BATCH == 0:
            await asyncio.sleep_ms(0)
    return count, filled


async def erase(part: "Any", label: str) -> str:
    """Erase and program the last sector of a blank partition, and leave it blank."""
    if part is None:
        raise Absent("the partition table")
    count, filled = await used(part)
    if filled:
        raise Skip("not blank: %d sectors hold data, nothing was written" % filled)
    sector = count - 1
    page, back, whole = bytes(range(256)), bytearray(_PAGE), bytearray(_SECTOR)
    part.ioctl(6, sector)
    part.writeblocks(sector, page, _PAGE)
    part.readblocks(sector, back, _PAGE)
    part.ioctl(6, sector)
    part.readblocks(sector, whole, 0)
    if back != page:
        raise ValueError("read back differently")
    if whole != b"\xff" * _SECTOR:
        raise ValueError("not blank after the erase")
    return "%s, sector %d: erased, programmed, read back, erased" % (label, sector)


def described(part: "Any", size: int) -> str:
    """Place and size of a partition. Raises ValueError if it has not `size` bytes in sectors of 4096."""
    if part is None:
        raise Absent("the partition table: flash it again (docs/flashing.md)")
    kind, subtype, address, real, _, encrypted = part.info()
    note = "%d KiB at 0x%x, type %d/0x%x" % (real // 1024, address, kind, subtype)
    if real != size or part.ioctl(5, 0) != _SECTOR:
        raise ValueError("%s; must be %d KiB" % (note, size // 1024))
    return note + (", encrypted" if encrypted else "")


async def flash(it: "Any") -> None:
    """Every partition; the one to erase last."""
    for label, size in _SIZES:
        part = getattr(it, label)

        async def found(part: "Any" = part, size: int = size) -> str:
            return described(part, size)

        async def read(part: "Any" = part) -> str:
            count, filled = await used(part)
            return "%d of %d sectors hold data" % (filled, count)

        if await row("flash", label, found) == "pass":
            await row("flash", label + " read", read, _LIMIT_MS)

    async def write() -> str:
        return await erase(getattr(it, OPTIONS["erase"]), OPTIONS["erase"])

    if OPTIONS["erase"]:
        await row("flash", "erase and program", write, _LIMIT_MS)


start(flash)
