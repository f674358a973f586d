# SPDX-License-Identifier: MIT
"""Journal tags: 8 bytes of AES-CMAC under the device's journal key over a record, mark or header."""

from micropython import const

from kassa.crypto.cmac import Cmac, equal
from kassa.vault.journal import layout

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes


class Tags:
    """Makes and checks journal tags. The tagged bytes always end in half a block; in a record this is the seal tag."""

    def __init__(self, key: "Bytes") -> None:
        """`key`: the 16-byte journal key; the caller zeroes it."""
        self.mac = Cmac(key, True, True)
        self.page = bytearray(layout.PAGE)  # scratch, also for reading back
        work = memoryview(self.page)
        self.work = work[: layout.SEAL]
        self.first = work[:16]
        self.blocks = work[: layout.SEAL - 16]
        self._start = work[:32]
        self.half = self.mac.last[:8]  # the last 8 of the tagged bytes
        self.mac.last[8] = 0x80
        self._expected = memoryview(bytearray(layout.TAG))
        self.cell = bytearray(layout.HEADER_SIZE)  # the mark or header being made or checked
        cell = memoryview(self.cell)
        self.header = cell
        self.mark = cell[: layout.MARK_SIZE]
        self._mark = cell[:16], cell[16:24], cell[24:32]
        self._header = cell[:32], cell[32:40], cell[40:48]

    def prepare(self) -> None:
        """Prepare the next tag in idle time; see Cmac.reset."""
        self.mac.reset()

    def absorb(self, blocks: memoryview) -> None:
        """Add the first page (240 B) of a two-page record to the tag."""
        self.work[:] = blocks
        self.mac.absorb(self.work)

    def record(self, blocks: memoryview, seal_tag: memoryview, tag: memoryview) -> None:
        """Write the tag of a record, over `blocks` (240 B) and `seal_tag` (8 B), to `tag`."""
        self.half[:] = seal_tag
        self.mac.finish(blocks, self.work, tag)

    def _cell(self, parts: "tuple[memoryview, memoryview, memoryview]", work: memoryview, tag: memoryview) -> None:
        self.half[:] = parts[1]
        self.mac.finish(parts[0], work, tag)

    def sign_mark(self) -> None:
        """Write the tag of the mark in `cell`."""
        self._cell(self._mark, self.first, self._mark[2])

    def sign_header(self) -> None:
        """Write the tag of the header in `cell`. Allocates nothing."""
        self._cell(self._header, self._start, self._header[2])

    def record_holds(self, page: memoryview, rest: "memoryview | None" = None) -> bool:
        """Whether a page (256 B) has a valid record tag. `rest`: 240 sealed bytes of a long record's other page."""
        seal_tag = page[layout.SEAL : layout.SEALED]
        if rest is None:
            self.record(page[: layout.SEAL], seal_tag, self._expected)
        else:
            self.absorb(page[: layout.SEAL])
            self.record(rest, seal_tag, self._expected)
        return equal(self._expected, page[layout.SEALED :])

    def repair_record(self, page: memoryview) -> int:
        """Flip each bit of a page (256 B) in turn until it is a valid record. Returns the bit, as in `flip`; -1 = none.

        Computes about 2000 tags: 0.2 s on an ESP32.
        """
        blocks, seal_tag, tag = page[: layout.SEAL], page[layout.SEAL : layout.SEALED], page[layout.SEALED :]
        expected = self._expected
        self.record(blocks, seal_tag, expected)
        for at in range(8 * layout.SEALED, 8 * layout.PAGE):  # the tag itself
            flip(page, at)
            if expected == tag:
                return at
            flip(page, at)
        for at in range(8 * layout.SEALED):
            flip(page, at)
            self.record(blocks, seal_tag, expected)
            if expected == tag:
                return at
            flip(page, at)
        return -1

    def mark_holds(self, mark: memoryview) -> bool:
        """Whether `mark` (32 B) has a valid tag."""
        self.mark[:] = mark
        self._cell(self._mark, self.first, self._expected)
        return equal(self._expected, self._mark[2])

    def header_holds(self) -> bool:
        """Whether the header in `cell` has a valid tag."""
        self._cell(self._header, self._start, self._expected)
        return equal(self._expected, self._header[2])


def flip(cell: memoryview, bit: int) -> None:
    """Flip a bit of `cell`. Bit 0 is the highest of the first byte."""
    cell[bit >> 3] ^= 0x80 >> (bit & 7)
