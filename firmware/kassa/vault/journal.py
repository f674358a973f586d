# SPDX-License-Identifier: MIT
"""The journal: every payment durable in one flash program, every answer in one mark. Format and reasons: docs/journal.md."""

from struct import pack_into

from micropython import const

from kassa.crypto.cmac import Cmac, equal
from kassa.crypto.sealing import DATA, NONCE, SEAL, SEALED, Sealer
from kassa.errors import FlashFault, JournalFull
from kassa.money import pack_bcd
from kassa.vault import layout
from kassa.vault.flash import blocks, erase, program
from kassa.vault.layout import BLANK, PAGE, PAGES, State

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Flash

_TRIES = const(3)  # pages given up before a write counts as failed
_AHEAD = const(2)  # blank sectors kept ready; also the reserve for marks
_FULL = JournalFull("journal full")
_FAULT = FlashFault("journal write")


class Draft:
    """What the desk hands over; made once and reused. Sizes in bytes; `amount` in minor units, `time` as in docs/journal.md."""

    def __init__(self) -> None:
        self.type = 0
        self.amount = 0
        self.stan = 0
        self.counter = 0
        self.entry = 0
        self.operator = 1
        self.time = 0
        self.flags = 0
        self.currency = b"\x01\x56"
        self.uid = bytearray(16)
        self.nonce = bytearray(16)
        self.mask = bytearray(5)  # first six, last four digits, BCD
        self.data: bytearray | memoryview = bytearray(160)  # card and EMV data, TLV


class Journal:
    """Appends records and marks to the ring. One user; every call is synchronous and durable when it returns."""

    def __init__(self, flash: "Flash", key: bytearray) -> None:
        """`flash`: an esp32.Partition (4096-byte blocks). `key`: the 16-byte journal key; the caller zeroes it."""
        self.flash = flash
        self.sectors = blocks(flash)
        self.state = State()
        self.sector = -1  # being written; -1 before the first
        self.page = PAGES  # next page of it; PAGES = none left
        self.cells = -1  # page of marks being filled; -1 = none
        self.cell = 0  # next mark cell in it
        self.ready = 0  # verified blank sectors behind the one being written
        self.marks = {}  # sequence -> kind, for records above the watermark
        self.reasons = {}  # sequence -> DE 39 of a reversal that is owed
        self.head = bytearray(8)  # seal tag of the newest record
        self.last = bytearray(64)  # clear header of the newest record
        self.fate = 0  # kind of the mark that decided about the newest record, 0 = none yet
        self._mac = Cmac(key)
        page = self.buffer = bytearray(PAGE)
        view = memoryview(page)
        self._uid, self._mask, self._previous = view[8:24], view[48:53], view[56:64]
        self._currency, self._nonce, self._data = view[30:32], view[NONCE:DATA], view[DATA:SEAL]
        self._body, self._tagged, self._seal_tag = view[NONCE:SEAL], view[:SEAL], view[SEAL:SEALED]
        self._sealed, self._tag, self._clear = view[:SEALED], view[SEALED:], view[:64]
        self._whole = view
        work = self.work = bytearray(PAGE)
        self.work_view = memoryview(work)
        self._work_tagged, self._work_sealed = self.work_view[:SEAL], self.work_view[:SEALED]
        self._work_end, self._tagged_end = self.work_view[SEAL:], self.work_view[SEAL - 16 : SEAL]
        self._header_end = self.work_view[32:48]
        mark = self._mark = bytearray(layout.MARK_SIZE)
        self._mark_said, self._mark_tag = memoryview(mark)[:24], memoryview(mark)[24:]
        self._work_mark, self._work_mark_said = self.work_view[:32], self.work_view[:24]
        header = self._header = bytearray(layout.HEADER_SIZE)
        self._header_said, self._header_tag = memoryview(header)[:40], memoryview(header)[40:]
        self._work_header, self._work_header_said = self.work_view[:48], self.work_view[:40]
        self._expected = bytearray(layout.TAG_SIZE)

    # -- the pay path -----------------------------------------------------------------------------------------------

    def accept(self, draft: Draft, sealer: Sealer, kind: int) -> int:
        """Seal `draft` and make it durable as ACCEPTED or INTENT; returns its sequence. Allocates nothing.

        Raises JournalFull, or FlashFault when no page took it: then nothing was accepted.
        """
        state = self.state
        if not self.has_room(_AHEAD + (self.page >= PAGES)):
            raise _FULL
        sequence = state.sequence + 1
        page = self.buffer
        pack_into(">BBHI", page, 0, kind, draft.type, state.epoch, sequence)
        self._uid[:] = draft.uid
        pack_bcd(draft.amount, page, 24, 6)
        self._currency[:] = draft.currency
        pack_bcd(draft.stan, page, 32, 3)
        pack_bcd(state.batch, page, 35, 3)
        pack_into(">IBBI", page, 38, draft.counter, draft.entry, draft.operator, draft.time)
        self._mask[:] = draft.mask
        page[53] = draft.flags
        page[54] = page[55] = 0
        self._previous[:] = self.head
        self._nonce[:] = draft.nonce
        self._data[:] = draft.data
        sealer.seal(self._body, self._tagged, self._work_tagged, self._seal_tag, self._tagged_end)
        self._work_sealed[:] = self._sealed
        self._mac.finish(self.work_view, SEALED, self._tag, self._work_end)
        self._append()
        state.sequence = sequence
        self.head[:] = self._seal_tag
        self.last[:] = self._clear
        self.fate = 0
        if kind == layout.ACCEPTED:
            self._charge(draft.amount, draft.time)
        return sequence

    def _append(self) -> None:
        """Program the buffer into the next page, read it back, pass over pages that do not hold it."""
        for _ in range(_TRIES):
            if self.page >= PAGES:
                self.open_sector()
            page = self.page
            self.page += 1
            if self._program(page * PAGE, self.buffer, self.work):
                return
        raise _FAULT

    def rewrite(self) -> None:
        """Program the record in the buffer once more, on the next page (boot distrusts the last one)."""
        self._append()

    def _program(self, offset: int, data: bytearray, back: bytearray | memoryview) -> bool:
        """Write and read back; False when the chip holds something else."""
        try:
            program(self.flash, self.sector, data, offset)
        except FlashFault:
            return False
        self.flash.readblocks(self.sector, back, offset)
        return back == data

    def _charge(self, amount: int, time: int) -> None:
        state = self.state
        state.count += 1
        state.sum += amount
        if not state.oldest:
            state.oldest = time

    # -- marks ------------------------------------------------------------------------------------------------------

    def mark(self, kind: int, about: int, code: bytes = b"\x00\x00") -> None:
        """Write one mark carrying the state as it is now. `about`: a sequence, or the value HEARD and BATCH speak of.

        The caller has already brought count and sum up to date. Raises FlashFault, JournalFull.
        """
        state = self.state
        state.turn(kind)
        if kind == layout.REVERSED and self._still_reversing(about):
            state.reversing = 1
        for _ in range(_TRIES):
            self._find_cell()
            offset = self.cells * PAGE + (layout.HEADER_SIZE if self.cells == 0 else 0) + self.cell * layout.MARK_SIZE
            self.cell += 1
            mark = self._mark
            layout.pack_mark(mark, kind, code, about, state)
            self._work_mark_said[:] = self._mark_said
            self._mac.finish(self._work_mark, 24, self._mark_tag)
            if self._program(offset, mark, self._work_mark):
                break
        else:
            raise _FAULT
        layout.apply_mark(mark, state)
        self.decide(kind, about)
        if kind == layout.EPOCH:
            self.begin_chain()
        if kind in (layout.WATERMARK, layout.CLOSED):
            for sequence in list(self.marks):
                if sequence <= state.watermark:
                    del self.marks[sequence]
        elif kind not in layout.NOT_ABOUT_ONE:
            self.marks[about] = kind
            if kind == layout.REVERSING:
                self.reasons[about] = code
            elif kind == layout.REVERSED:
                self.reasons.pop(about, None)

    def _still_reversing(self, done: int) -> bool:
        """Whether another reversal is owed when this one is done."""
        for sequence, kind in self.marks.items():
            if kind == layout.REVERSING and sequence != done:
                return True
        return False

    def begin_chain(self) -> None:
        """The next record is the first of its epoch: it has no predecessor."""
        for index in range(len(self.head)):
            self.head[index] = 0

    def told(self) -> None:
        """The cashier knows about an unfinished record at the end: the next boot need not say it again."""
        self.mark(layout.SEEN, self.state.sequence, bytes((0, self.page - 1)))

    def decide(self, kind: int, about: int) -> None:
        """Note what a mark says of the newest record; a watermark says yes only where nothing else was said."""
        newest = layout.number(self.last, 4)
        if kind == layout.WATERMARK:
            if about >= newest and self.fate not in layout.NOT_PAID:
                self.fate = kind
        elif about == newest and kind not in layout.NOT_ABOUT_ONE:
            self.fate = kind

    def _find_cell(self) -> None:
        """Point `cells` and `cell` at a free mark cell: behind the header, in a page of marks, or in a new one."""
        if self.cells >= 0 and self.cell < (layout.HEADER_CELLS if self.cells == 0 else layout.PAGE_CELLS):
            return
        if self.page >= PAGES:
            self.open_sector()
            return
        self.cells = self.page
        self.cell = 0
        self.page += 1

    def charge_deferred(self, amount: int, time: int) -> None:
        """Count an intent that becomes a deferred payment; DEFERRED is marked next."""
        self._charge(amount, time)

    def release(self, amount: int) -> None:
        """Count one payment off the pending ones; YES, REFUSED or WATERMARK is marked next."""
        state = self.state
        state.count -= 1
        state.sum -= amount
        if state.count <= 0:
            state.count = state.sum = state.oldest = 0

    # -- sectors ----------------------------------------------------------------------------------------------------

    def open_sector(self) -> None:
        """Make the next blank sector the one being written, header and all. Raises JournalFull, FlashFault."""
        if not self.ready and not self.prepare():
            raise _FULL
        state = self.state
        self.ready -= 1
        self.sector = (self.sector + 1) % self.sectors
        state.serial += 1
        cell = self.header_of(state)
        self.page = 1
        self.cells = self.cell = 0
        if not self._program(0, cell, self._work_header):
            raise _FAULT

    def header_of(self, state: State) -> bytearray:
        """The 48 bytes that open a sector in this state; valid until the next header is read or made."""
        cell = self._header
        layout.pack_header(cell, state)
        self._work_header_said[:] = self._header_said
        self._mac.finish(self._work_header, 40, self._header_tag, self._header_end)
        return cell

    def prepare(self) -> bool:
        """Make one more sector ahead blank, if it may be: for idle time. True when a sector became ready."""
        if self.ready >= _AHEAD + 1 or self.ready + 2 > self.sectors:
            return False
        sector = (self.sector + 1 + self.ready) % self.sectors
        if not self.is_blank(sector):
            if self._holds_open_records(sector):
                return False
            try:
                erase(self.flash, sector)
            except FlashFault:
                return False
            if not self.is_blank(sector):
                return False  # it will not become ready: the till ends up full, and says so
        self.ready += 1
        return True

    def has_room(self, sectors: int = _AHEAD) -> bool:
        """Whether so many blank sectors are ahead; makes them blank now if nobody was idle since boot or the last one.

        What is written without it uses up the reserve for marks about money.
        """
        while self.ready < sectors:
            if not self.prepare():
                return False
        return True

    def is_blank(self, sector: int) -> bool:
        """Whether all 4096 bytes read as erased."""
        for page in range(PAGES):
            self.flash.readblocks(sector, self.work, page * PAGE)
            if self.work != BLANK:
                return False
        return True

    def _holds_open_records(self, sector: int) -> bool:
        """Whether any valid record in it belongs to a batch that is not closed, or is the newest: the chain's head."""
        found = bytearray(PAGE)  # not `buffer`: that may hold a record on its way to flash
        for page in range(1, PAGES):
            if self.read_record(sector, page, found):
                sequence = layout.number(found, 4)
                if sequence > self.state.closed or sequence == self.state.sequence:
                    return True
        return False

    # -- reading ----------------------------------------------------------------------------------------------------

    def read_record(self, sector: int, page: int, into: bytearray) -> bool:
        """Read a page (256 B) and say whether it is a record whose journal tag holds."""
        self.flash.readblocks(sector, into, page * PAGE)
        return self.holds(into)

    def holds(self, page: bytearray) -> bool:
        """Whether a page that was read (256 B) is a record whose journal tag holds."""
        if not layout.is_record(page[0]):
            return False
        self.work[:] = page
        self._mac.finish(self.work_view, SEALED, self._expected, self._work_end)
        return equal(self._expected, memoryview(page)[SEALED:])

    def read_mark(self, cell: memoryview, serial: int) -> bool:
        """Whether 32 bytes are a mark written in the sector with this serial."""
        if not layout.is_mark(cell[0]) or cell[8] << 8 | cell[9] != serial & 0xFFFF:
            return False
        self._work_mark[:] = cell
        self._mac.finish(self._work_mark, 24, self._expected)
        return equal(self._expected, cell[24:32])

    def read_header(self, sector: int, state: State) -> bool:
        """Read and check a sector's header; fills `state` when it holds."""
        cell = self._header
        self.flash.readblocks(sector, cell, 0)
        if not layout.is_header(cell):
            return False
        self._work_header_said[:] = self._header_said
        self._mac.finish(self._work_header, 40, self._expected)
        if not equal(self._expected, self._header_tag):
            return False
        layout.unpack_header(cell, state)
        return True
