# SPDX-License-Identifier: MIT
"""The journal: writes each payment with one flash program and each answer as a mark. Format: docs/journal.md."""

from struct import pack_into

from micropython import const

from kassa.crypto.sealing import Sealer
from kassa.errors import FlashFault, JournalFull
from kassa.money import pack_bcd
from kassa.vault.journal import layout
from kassa.vault.journal.draft import Draft
from kassa.vault.journal.layout import DATA, PAGE, PAGES, SEAL
from kassa.vault.journal.reader import find_in, first_after, holds_any
from kassa.vault.journal.ring import AHEAD
from kassa.vault.journal.store import Store

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


_TRIES = const(9)  # failed writes before the journal gives up
_HERE = const(3)  # failed writes in one sector before the next one is used
_FULL = JournalFull("journal full")
_FAULT = FlashFault("journal write")
_BCD = (  # a single constant stays in flash
    b"\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x20\x21\x22\x23\x24"
    b"\x25\x26\x27\x28\x29\x30\x31\x32\x33\x34\x35\x36\x37\x38\x39\x40\x41\x42\x43\x44\x45\x46\x47\x48\x49"
    b"\x50\x51\x52\x53\x54\x55\x56\x57\x58\x59\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x70\x71\x72\x73\x74"
    b"\x75\x76\x77\x78\x79\x80\x81\x82\x83\x84\x85\x86\x87\x88\x89\x90\x91\x92\x93\x94\x95\x96\x97\x98\x99"
)


class Journal(Store):
    """Appends records and marks to the ring. Every call is synchronous; what it wrote is durable when it returns."""

    # -- the pay path -----------------------------------------------------------------------------------------------

    def stage(self, draft: Draft) -> None:
        """Fill in the fields of the next record that are known ahead. `accept` calls it if needed."""
        state = self.state
        page = self.buffer
        page[1] = draft.type
        pack_into(">HI", page, 2, state.epoch, state.sequence + 1)
        self._uid[:] = draft.uid
        page[24] = page[25] = page[26] = page[27] = page[28] = page[29] = 0
        self._currency[:] = draft.currency
        pack_bcd(draft.stan, page, 32, 3)
        pack_bcd(state.batch, page, 35, 3)
        pack_into(">IBB", page, 38, draft.counter, draft.entry, draft.operator)
        pack_into(">H", page, 54, draft.back)
        self._previous[:] = self.head
        self._nonce[:] = draft.nonce
        self.tags.prepare()
        self._staged = True

    def accept(self, draft: Draft, sealer: Sealer, kind: int) -> int:
        """Seal `draft` and write it as a record of `kind` ACCEPTED or INTENT. Returns its sequence. Allocates nothing.

        Raises JournalFull, or FlashFault when no page took it; then nothing was accepted.
        """
        if self.free < AHEAD or self.ring.page >= PAGES and not self._may_open():
            raise _FULL
        if self.seen_due:
            self.seen(False)
        if not self._staged:
            self.stage(draft)
        self._staged = False
        self._fill(draft, kind)
        if len(draft.data) > SEAL - DATA:
            self._accept_long(draft, sealer)
        else:
            self._data[:] = draft.data
            sealer.body.encrypt(self._data, self._data)
            sealer.mac.last[:] = self._last
            tags = self.tags
            sealer.mac.finish(self._blocks, tags.blocks, self._seal_tag)
            tags.half[:] = self._seal_tag
            tags.mac.finish(self._tagged, tags.work, self._tag)
            self.append()
        state = self.state
        state.sequence += 1
        self.newest_sector = self.ring.sector
        self.head[:] = self._seal_tag
        self.last[:] = self._clear
        self.disposition = 0
        if kind == layout.ACCEPTED:
            self.charge(draft.amount, draft.time)
        return state.sequence

    # The functions used in a payment have few local names and short calls. MicroPython puts a frame of more than 11
    # words on the heap. It may search the whole heap for room, which takes as long as 20 AES blocks.

    def _fill(self, draft: Draft, kind: int) -> None:
        """Fill in the fields that are known only when the payment is accepted."""
        page = self.buffer
        page[0] = kind
        amount, at = draft.amount, 29
        while amount:
            page[at] = _BCD[amount % 100]
            amount //= 100
            at -= 1
        pack_into(">I", page, 44, draft.time)
        self._mask[:] = draft.mask
        page[53] = draft.flags

    def _accept_long(self, draft: Draft, sealer: Sealer) -> None:
        from kassa.vault.journal import two_page_record  # not needed yet: cards give too little data

        two_page_record.accept(self, draft, sealer, self.open_sector)

    def append(self) -> None:
        """Program the buffer into the next page and read it back. Skips bad pages and sectors.

        Raises FlashFault, JournalFull.
        """
        ring, failed = self.ring, 0
        while failed < _TRIES:
            page = ring.page
            if page < PAGES:
                ring.page = page + 1
                if ring.write(page * PAGE, self.buffer, self.tags.page):
                    return
                if failed % _HERE == _HERE - 1:
                    ring.leave_sector()
            elif self.open_sector():
                continue
            failed += 1
        raise _FAULT

    def rewrite(self, rest: bytearray | None = None) -> None:
        """Program the record in the buffer again on the next page. `rest`: the second page of a long record."""
        if rest is None:
            self.append()
        else:
            from kassa.vault.journal import two_page_record

            two_page_record.append(self, rest, self.open_sector)
        self.newest_sector = self.ring.sector
        self._staged = False

    def charge(self, amount: int, time: int) -> None:
        """Add a payment to the pending count and sum: a deferred one, or an intent about to be marked DEFERRED."""
        state = self.state
        state.count += 1
        state.sum += amount
        if not state.oldest:
            state.oldest = time

    # -- marks ------------------------------------------------------------------------------------------------------

    def mark(
        self,
        kind: int,
        about: int,
        code: bytes = b"\x00\x00",
        several: int = 0,
        released: "Sequence[int]" = (),
        charged: "Sequence[int]" = (),
    ) -> None:
        """Write one mark, with the state after it.

        `about`: a sequence, or the value of HEARD, BATCH and EPOCH. `code`: answer code or reason, 2 B. `several`: see
        layout.pack_mark. `released`: amounts that are pending no longer. `charged`: amount and time of a payment that
        becomes pending. Raises FlashFault, JournalFull; then nothing changed.
        """
        if self.seen_due and kind != layout.SEEN:
            self.seen(False)
        self._staged = False  # the next record may have a new batch or epoch
        self.write_mark(kind, about, code, several, lambda: self._turn(kind, about, released, charged))
        self.seen_due = False
        self._marked(code)

    def _turn(self, kind: int, about: int, released: "Sequence[int]", charged: "Sequence[int]") -> None:
        """Change the state to that after the mark."""
        state = self.state
        for amount in released:
            state.count -= 1
            state.sum -= amount
            if state.count <= 0:
                state.count = state.sum = state.oldest = 0
        if charged:
            self.charge(*charged)
        state.update_flags(kind)
        if kind == layout.REVERSED or kind == layout.LOST:  # another reversal may be unanswered
            state.reversing = int(
                any(one == layout.REVERSING and other != about for other, one in self.dispositions.items())
            )

    def _marked(self, code: bytes) -> None:
        """Apply the mark in the tags' cell to the state and the dispositions."""
        cell, state = self.tags.cell, self.state
        layout.apply_mark(cell, state)
        kind, about = cell[0], layout.number(cell, 4)
        newest = layout.number(self.last, 4)
        if kind == layout.WATERMARK and about >= newest and self.disposition not in layout.NOT_PAID:
            self.disposition = kind
        if kind == layout.EPOCH:
            self.head[:] = bytes(8)  # the next record is the first of its epoch
        elif kind == layout.WATERMARK:
            self.dispositions.forget(state.watermark)
        elif kind == layout.CLOSED:
            self.dispositions.forget(state.watermark)
            self.recount()
        for one, sequence in layout.marked_records(cell):
            if one == layout.NOTED or one == layout.REFUSED and not (sequence == newest and self.disposition == one):
                state.refusal(-1 if one == layout.NOTED else 1)
            self.dispositions.set(sequence, one)
            if sequence == newest:
                self.disposition = one
            if one == layout.REVERSING:
                self.reasons[sequence] = code
            elif one == layout.REVERSED:
                self.reasons.pop(sequence, None)

    def write_mark(
        self, kind: int, about: int, code: bytes, several: int, change: "Callable[[], None] | None" = None
    ) -> None:
        """Write a mark without applying it: boot repeats a mark this way. Raises like `mark`.

        `change`: changes the state to that after the mark. Called after a new sector's header was written, if any: the
        header must hold the state before the mark.
        """
        ring, tags, state, failed = self.ring, self.tags, self.state, 0
        while failed < _TRIES:
            offset = ring.find_cell()
            if offset < 0:
                failed += 0 if self.open_sector() else 1
                continue
            before = state.count, state.sum, state.oldest, state.flags()
            if change:
                change()
            layout.pack_mark(tags.cell, kind, code, about, state, len(ring.ready), several)
            if kind == layout.SEEN:  # every boot that writes this cell must write the same bytes
                page = ring.page - 1  # read here, as a sector may just have been opened
                tags.cell[2], tags.cell[3], tags.cell[19] = page * code[0], page * code[1], 0
            tags.sign_mark()
            if ring.write(offset, tags.mark, self._mark_back):
                state.number = tags.cell[1] >> 2
                return
            state.count, state.sum, state.oldest, flags = before
            state.take_flags(flags)
            failed += 1
            if failed % _HERE == 0:
                ring.leave_sector()
        raise _FAULT

    def seen(self, told: bool) -> None:
        """Write SEEN: boot has stabilised all pages so far.

        `told`: the cashier was told about an unfinished payment in these pages.
        """
        self.mark(layout.SEEN, self.state.sequence, b"\x01\x01" if told else b"\x01\x00")

    # -- sectors ----------------------------------------------------------------------------------------------------

    def open_sector(self) -> bool:
        """Start writing the next blank sector, beginning with its header. False when it does not take the header.

        Raises JournalFull.
        """
        ring = self.ring
        if not ring.ready and not self.prepare(False):
            raise _FULL
        state, tags = self.state, self.tags
        state.serial += ring.enter()
        self.free -= 1
        layout.pack_header(tags.cell, state)
        tags.sign_header()
        if ring.write(0, tags.header, self._header_back):
            return True
        ring.bad.append(ring.sector)
        ring.leave_sector()
        return False

    def _may_open(self) -> bool:
        """Whether a payment may open the next sector: it must be blank, and so must the reserve if a sector is bad."""
        ring = self.ring
        if self.free <= AHEAD:
            self.recount()
        while len(ring.ready) < (AHEAD + 1 if ring.bad else 1):
            if self.free <= AHEAD or not self.prepare():
                return False
        return self.free > AHEAD

    def prepare(self, may_move: bool = True) -> bool:
        """Erase one more sector ahead if allowed; for idle time. True when a sector became ready.

        `may_move`: the newest record may be copied out of the sector first. This uses the buffer.
        """
        ring = self.ring
        if self.free <= AHEAD + 1:
            self.recount()
        if may_move and self.free <= len(ring.ready):
            return False
        while len(ring.ready) <= AHEAD:
            sector = ring.candidate()
            if sector < 0:
                return False
            if ring.is_begun(sector, self._header_back):
                if self.state.refused > 0:
                    self.state.refused = -1  # a later refusal may be erased with the sector: count them again
                if first_after(self, sector) - 1 > self.state.closed and holds_any(self, sector):
                    return False
                if sector == self.newest_sector:
                    if not may_move:
                        return False
                    self._move_newest(sector)
            if ring.make_blank(sector, self.tags.page):
                return True
            self.free -= 1
        return False

    def _move_newest(self, sector: int) -> None:
        """Copy the newest record (head of the chain) and its last mark out of a sector that is about to be erased.

        Needed when a whole lap of the ring holds no newer payment.
        """
        rest = find_in(self, sector, self.state.sequence)
        if layout.is_record(self.buffer[0]):
            self.rewrite(rest)
            kind = self.disposition or layout.SEEN
            self.mark(layout.YES if kind == layout.WATERMARK else kind, self.state.sequence)
        else:
            self.newest_sector = -1  # the record is unreadable: nothing to keep
