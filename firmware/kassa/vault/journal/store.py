# SPDX-License-Identifier: MIT
"""The state in memory of a mounted journal; all that readers need. Writing is in journal.py."""

from micropython import const

from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import Dispositions
from kassa.vault.journal.layout import DATA, NONCE, PAGE, SEAL, SEALED, State
from kassa.vault.journal.ring import Ring
from kassa.vault.journal.tags import Tags

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Flash


class Store:
    """The ring of sectors, the state after the newest mark, the newest record, and a page buffer."""

    def __init__(self, flash: "Flash", key: bytearray) -> None:
        """`flash`: an esp32.Partition (4096-byte blocks). `key`: the 16-byte journal key; the caller zeroes it."""
        self.ring = Ring(flash)
        self.tags = Tags(key)
        self.state = State()
        self.free = self.ring.sectors  # sectors ahead, blank or not, that hold nothing of the open batch
        self.newest_sector = -1  # the sector with the newest record
        self.dispositions = Dispositions()
        self.reasons = {}  # sequence -> DE 39 of a reversal that is still to be answered
        self.head = bytearray(8)  # seal tag of the newest record
        self.last = bytearray(64)  # clear header of the newest record
        self.disposition = 0  # kind of the mark that decided the newest record, 0 = none yet
        self.unreadable = 0  # the first MISSING sequence found: it cannot be settled or reversed; 0 = none
        self.damaged = 0  # unreadable headers and repaired marks that this boot has found
        self.repairs = {}  # page number in the partition -> its flipped bit, -1 = not repairable
        self.seen_due = False  # boot has not written SEEN: write it before anything else
        self._staged = False
        self.buffer = bytearray(PAGE)
        page = self.view = memoryview(self.buffer)
        self._uid, self._mask, self._previous = page[8:24], page[48:53], page[56:64]
        self._currency, self._nonce, self._data = page[30:32], page[NONCE:DATA], page[DATA:SEAL]
        self._blocks, self._last = page[: SEAL - 16], page[SEAL - 16 : SEAL]
        self._tagged, self._seal_tag, self._tag, self._clear = page[:SEAL], page[SEAL:SEALED], page[SEALED:], page[:64]
        self._header_back = memoryview(self.tags.page)[: layout.HEADER_SIZE]
        self._mark_back = self._header_back[: layout.MARK_SIZE]

    def serial_of(self, sector: int) -> int:
        """The serial that a sector has if it was last used in this lap: one higher for each place in the ring."""
        return self.ring.serial_of(self.state, sector)

    def recount(self) -> None:
        """Count the free sectors again."""
        self.free = self.ring.count_free(self.state)

    def read_header(self, sector: int, state: State) -> bool:
        """Read and verify a sector's header. If valid, fill `state` and return True."""
        cell = self.tags.cell
        self.ring.flash.readblocks(sector, cell, 0)
        if not layout.is_header(cell) or not self.tags.header_holds():
            return False
        layout.unpack_header(cell, state)
        return True
