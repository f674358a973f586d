# SPDX-License-Identifier: MIT
"""What is in memory of a mounted journal. Readers need no more than this; what writes is in journal.py."""

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
    """The ring of sectors, the state after the newest mark, the newest record, and one page to work in."""

    def __init__(self, flash: "Flash", key: bytearray) -> None:
        """`flash`: an esp32.Partition (4096-byte blocks). `key`: the 16-byte journal key; the caller zeroes it."""
        self.ring = Ring(flash)
        self.tags = Tags(key)
        self.state = State()
        self.free = self.ring.sectors  # sectors ahead, blank or not, that hold nothing of an open batch
        self.holder = -1  # the sector with the newest record
        self.dispositions = Dispositions()
        self.reasons = {}  # sequence -> DE 39 of a reversal that is owed
        self.head = bytearray(8)  # seal tag of the newest record
        self.last = bytearray(64)  # clear header of the newest record
        self.disposition = 0  # kind of the mark that decided about the newest record, 0 = none yet
        self.unreadable = 0  # the first sequence, as far as known, that is MISSING: nobody can settle or reverse it
        self.damaged = 0  # headers and marks that rotted, as far as this boot has seen
        self.mends = {}  # page number in the partition -> bit that flipped in it, -1 = not that alone
        self.unsaid = False  # boot wrote nothing of what it saw at the end: SEEN goes before the first write
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
        """The serial a sector has if it was used in this lap: one higher for each place in the ring."""
        return self.ring.serial_of(self.state, sector)

    def recount(self) -> None:
        """Count the free sectors once more."""
        self.free = self.ring.count_free(self.state)

    def read_header(self, sector: int, state: State) -> bool:
        """Read and check a sector's header; fills `state` when it holds."""
        cell = self.tags.cell
        self.ring.flash.readblocks(sector, cell, 0)
        if not layout.is_header(cell) or not self.tags.header_holds():
            return False
        layout.unpack_header(cell, state)
        return True
