# SPDX-License-Identifier: MIT
"""The ring of sectors: the one being written, the next page and cell in it, the blank sectors ahead, the bad ones."""

from micropython import const

from kassa.errors import FlashFault
from kassa.vault.flash import blocks, erase
from kassa.vault.journal.layout import (
    BLANK,
    HEADER_CELLS,
    HEADER_SIZE,
    MARK_SIZE,
    PAGE,
    PAGE_CELLS,
    PAGES,
    PREFIX_SIZE,
    State,
    is_header,
    number,
)

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes, Flash

AHEAD = const(2)  # free sectors reserved for marks; so many and one more are erased ahead
_COUNTED = const(16)  # most free sectors counted
_SUSPECT = const(3)  # sectors ahead that a power cut may have left half erased, even if they look blank


class Ring:
    """Verifies what it writes. Only `make_blank` erases."""

    def __init__(self, flash: "Flash") -> None:
        self.flash = flash
        self.sectors = blocks(flash)
        self.sector = -1  # the one being written; -1 before the first
        self.page = PAGES  # the next page of it; PAGES = none left
        self.cells = -1  # the page of marks being filled; -1 = none
        self.cell = 0  # the next mark cell in that page
        self._offset = 0  # offset in the sector of the current write
        self.ready = []  # sectors erased and found blank, in ring order
        self.bad = []  # sectors that did not become blank, or did not take a header, since boot
        self.known_blank = 0  # number of sectors ahead that the last mark before this boot reports as blank
        self._prepared = 0  # calls of make_blank since boot, counted up to _SUSPECT

    def step(self, sector: int, by: int = 1) -> int:
        """The sector `by` places further in the ring."""
        return (sector + by) % self.sectors

    def write(self, offset: int, data: "Bytes", back: bytearray | memoryview) -> bool:
        """Program `data` and read it back into `back`. False when the chip refuses or holds something else."""
        self._offset = offset
        if not self._program(data):
            return False
        self.flash.readblocks(self.sector, back, offset)
        return back == data

    def _program(self, data: "Bytes") -> bool:
        try:  # with few local names: see the comment in journal.py
            self.flash.writeblocks(self.sector, data, self._offset)
        except OSError:
            return False
        return True

    def find_cell(self) -> int:
        """Take the next free mark cell. Returns its offset in the sector, -1 when there is none."""
        if self.cells < 0 or self.cell >= (HEADER_CELLS if self.cells == 0 else PAGE_CELLS):
            if self.page >= PAGES:
                return -1
            self.cells = self.page
            self.page += 1
            self.cell = 0
        offset = self.cells * PAGE + (HEADER_SIZE if self.cells == 0 else 0) + self.cell * MARK_SIZE
        self.cell += 1
        return offset

    def enter(self) -> int:
        """Move to the next ready sector (there must be one). Returns how many places further it is."""
        sector = self.ready.pop(0)
        places = sector + 1 if self.sector < 0 else (sector - self.sector) % self.sectors
        self.sector = sector
        self.page = 1
        self.cells = self.cell = 0
        return places

    def leave_sector(self) -> None:
        """Stop writing to the current sector."""
        self.page = PAGES
        self.cells = -1

    def candidate(self) -> int:
        """The next sector to erase ahead, -1 when all are in use or bad."""
        sector = self.ready[-1] if self.ready else self.sector
        for _ in range(self.sectors - len(self.ready) - 1):
            sector = self.step(sector)
            if sector == self.sector:
                break
            if sector not in self.bad:
                return sector
        return -1

    def make_blank(self, sector: int, scratch: bytearray) -> bool:
        """Make a sector blank, erasing it if needed, and add it to `ready`; else to `bad`. `scratch`: 256 B."""
        suspect = self.known_blank <= self._prepared < _SUSPECT
        self._prepared += self._prepared < _SUSPECT
        if suspect or not self.is_blank(sector, scratch):
            try:
                erase(self.flash, sector)
            except FlashFault:
                pass  # worn out; if it is blank it can be used for one more lap
            if not self.is_blank(sector, scratch):
                self.bad.append(sector)
                return False
        self.ready.append(sector)
        return True

    def serial_of(self, state: State, sector: int) -> int:
        """The serial that a sector has if it was last used in this lap: one higher for each place in the ring."""
        return state.serial - (self.sector - sector) % self.sectors

    def count_free(self, state: State) -> int:
        """Count the sectors ahead that may be erased, up to _COUNTED. Erasing checks them more closely."""
        if self.sector < 0:
            return self.sectors
        prefix, free = bytearray(PREFIX_SIZE), 0
        sector = self.step(self.sector)
        while sector != self.sector and free < _COUNTED:
            following = self.step(sector)
            self.flash.readblocks(following, prefix, 0)
            first = number(prefix, 8)
            if following == self.sector:
                first = state.sequence + 1
            elif not is_header(prefix) or number(prefix, 4) != self.serial_of(state, following):
                first = 0  # blank, bad or unreadable
            if first - 1 > state.closed:
                break
            free += sector not in self.bad
            sector = following
        return free

    def is_begun(self, sector: int, scratch: memoryview) -> bool:
        """Whether a sector has a header, even a damaged one. It is written before anything else. `scratch`: 48 B."""
        self.flash.readblocks(sector, scratch, 0)
        return scratch != BLANK[:HEADER_SIZE]

    def is_blank(self, sector: int, scratch: bytearray) -> bool:
        """Whether all 4096 bytes read as erased. `scratch`: 256 B."""
        for page in range(PAGES):
            self.flash.readblocks(sector, scratch, page * PAGE)
            if scratch != BLANK:
                return False
        return True
