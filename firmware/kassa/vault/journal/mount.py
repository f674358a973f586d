# SPDX-License-Identifier: MIT
"""Opens the journal at boot: finds the newest sector, the state and the last payment, and stabilises the end."""

from micropython import const

from kassa.crypto.wipe import zero
from kassa.errors import JournalDamaged
from kassa.vault.journal import layout
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.layout import BLANK, HEADER_SIZE, MARK_SIZE, PAGE, PAGES, PREFIX_SIZE, State
from kassa.vault.journal.reader import Reader, is_record, marks_in, newest_at, walk
from kassa.vault.journal.ring import AHEAD
from kassa.vault.journal.tail import Tail
from kassa.vault.journal.unstable_tail import is_unstable, write_again, write_again_elsewhere

_READS = const(20)
_BLANK_PREFIX = BLANK[:PREFIX_SIZE]
_PAST_A_MARK = BLANK[MARK_SIZE:]


def mount(journal: Journal) -> Tail:
    """Load the journal's state from flash. Reads 16 B of each sector, the newest sector and, if needed, the one before.

    Returns what was found at the end. Raises JournalDamaged when the partition holds data that is not a journal of this
    device, or when the newest record reads differently each time.
    """
    passed_over = []  # places (as in Tail) of marks to be ignored: an earlier boot did not see them
    for _ in range(_READS):  # half-programmed cells may read differently each time
        tail = Tail()
        journal.ring.sector = -1
        journal.ring.leave_sector()
        journal.state = State()
        sector = _newest(journal)
        if sector < 0:
            return tail
        zero(journal.last)
        journal.disposition = 0
        journal.dispositions.clear(
            max(0, journal.state.sequence - 2 * PAGES)
        )  # only for marks that may be about the newest record
        if not _replay_all(journal, tail, sector, passed_over):
            continue
        _last_payment(journal)
        if journal.last[2] << 8 | journal.last[3] != journal.state.epoch:
            journal.head[:] = bytes(8)
        journal.recount()
        if journal.free and is_unstable(journal, tail) and not write_again_elsewhere(journal, tail):
            continue
        if write_again(journal, tail):
            return tail
    raise JournalDamaged("the newest record reads differently each time")


# -- the newest sector -------------------------------------------------------------------------------------------------


def _newest(journal: Journal) -> int:
    """Find the newest sector with a valid header and load its state. -1 for a new journal. Raises JournalDamaged."""
    sectors = journal.ring.sectors
    prefix = bytearray(PREFIX_SIZE)
    bound = 1 << 32
    blank = True
    while True:
        best, found = -1, -1
        for sector in range(sectors):
            journal.ring.flash.readblocks(sector, prefix, 0)
            if prefix == _BLANK_PREFIX:
                continue
            blank = False
            serial = layout.number(prefix, 4)
            if prefix[:2] == b"KJ" and prefix[2] > layout.FORMAT:
                _refuse_newer(journal, sector)
            if layout.is_header(prefix) and best < serial < bound and (serial - 1) % sectors == sector:
                best, found = serial, sector
        if found < 0:
            if blank and _no_record_anywhere(journal) or _only_a_torn_header(journal):
                return -1
            raise JournalDamaged("no journal of this device in the journal partition")
        if journal.read_header(found, journal.state):
            return found
        bound = best


def _refuse_newer(journal: Journal, sector: int) -> None:
    """Raises JournalDamaged when a sector has a valid header of a newer format."""
    journal.ring.flash.readblocks(sector, journal.tags.cell, 0)
    if journal.tags.cell[2] > layout.FORMAT and journal.tags.header_holds():
        raise JournalDamaged("a newer firmware wrote this journal")


def _only_a_torn_header(journal: Journal) -> bool:
    """Whether the partition holds only a half-programmed header of the very first sector."""
    ring = journal.ring
    first = State()
    first.serial = 1
    wanted = journal.tags.cell
    layout.pack_header(wanted, first)
    journal.tags.sign_header()
    page = bytearray(PAGE)
    for number in range(PAGES * ring.sectors):
        ring.flash.readblocks(number // PAGES, page, number % PAGES * PAGE)
        if number == 0:
            for index in range(HEADER_SIZE):
                if page[index] & wanted[index] != wanted[index]:  # a bit is clear that the header leaves set
                    return False
                page[index] = 0xFF
        if page != BLANK:
            return False
    return True


def _no_record_anywhere(journal: Journal) -> bool:
    """Whether the first record page of every sector is blank. If not, erased headers are damage, not a new chip."""
    prefix = bytearray(PREFIX_SIZE)
    for sector in range(journal.ring.sectors):
        journal.ring.flash.readblocks(sector, prefix, PAGE)
        if prefix != _BLANK_PREFIX:
            return False
    return True


def _continues(journal: Journal) -> bool:
    """Whether the journal continues in a sector ahead whose header is unreadable. Makes that sector the newest.

    The sector before already holds everything that the lost header said.
    """
    ring, state = journal.ring, journal.state
    page, prefix = memoryview(bytearray(PAGE)), bytearray(PREFIX_SIZE)
    for places in range(1, min(AHEAD + 2, ring.sectors)):
        sector = ring.step(ring.sector, places)
        serial = state.serial + places
        ring.flash.readblocks(sector, prefix, 0)
        if layout.is_header(prefix) and journal.read_header(sector, State()):
            continue  # an older lap
        ring.flash.readblocks(sector, page[:PREFIX_SIZE], PAGE)
        if prefix == _BLANK_PREFIX and page[:PREFIX_SIZE] == _BLANK_PREFIX:
            continue
        for number in range(2):
            ring.flash.readblocks(sector, page, number * PAGE)
            for _, cell in marks_in(journal, page, 0 if number else HEADER_SIZE, serial):
                if cell is not None:
                    return _adopt(journal, sector, serial)
        if layout.number(page, 4) == state.sequence + 1 and is_record(journal, sector, 1, page):
            return _adopt(journal, sector, serial)
    return False


def _adopt(journal: Journal, sector: int, serial: int) -> bool:
    journal.ring.sector = sector
    journal.state.serial = serial
    journal.damaged += 1
    return True


# -- its contents -----------------------------------------------------------------------------------------------------


def _replay_all(journal: Journal, tail: Tail, sector: int, passed_over: "list[tuple[int, int, int]]") -> bool:
    """Replay the newest sector and those after it without a header. False when `passed_over` has grown: start again."""
    while _replay(journal, tail, sector, passed_over):
        if not _continues(journal):
            return True
        sector = journal.ring.sector
    return False


def _replay(journal: Journal, tail: Tail, sector: int, passed_over: "list[tuple[int, int, int]]") -> bool:
    """Replay a sector: take the state of each mark, and count the records after it. False as in _replay_all."""
    ring, state, page = journal.ring, journal.state, journal.view
    ring.sector = sector
    ring.page = 1
    ring.cells = ring.cell = 0
    tail.covered = state.sequence - 1  # an older record here is a boot's copy: the header counts it
    tail.stabilised = tail.told = torn = ring.known_blank = damaged = damaged_cell = 0
    tail.counted = tail.record = False
    tail.mark = bytearray()
    tail.opened = True
    tail.copies = 0
    for number in range(PAGES):
        ring.flash.readblocks(sector, page, number * PAGE)
        if number:
            if page == BLANK:
                continue
            ring.page = number + 1
            if is_record(journal, sector, number, page):
                if torn and layout.number(page, 4) > state.sequence + 1:
                    _repaired(journal, tail, torn)
                    ring.flash.readblocks(sector, page, number * PAGE)
                _replay_record(journal, tail, number)
                torn = damaged = 0
                continue
        used = False
        for index, cell in marks_in(journal, page, 0 if number else HEADER_SIZE, state.serial):
            place = sector, number, index
            if cell is not None and place not in passed_over:
                used = True
                if layout.repeats_number(cell, state.number) and tail.place[0] >= 0:
                    passed_over.append(tail.place)
                    return False
                _replay_mark(journal, tail, cell)
                tail.place = place
            if used or not number or layout.is_mark(page[0]):
                ring.cells, ring.cell = number, index + 1
                damaged_cell = 1 if cell is None else 0
        if number and not used and page[MARK_SIZE:] != _PAST_A_MARK and page[0] != layout.REST:
            torn = number
        damaged = 1 if number and not used and page[0] != layout.REST else 0
    tail.torn = torn > tail.told and not _repaired(journal, tail, torn)
    if ring.page >= PAGES:
        ring.known_blank = 0  # a power cut may have interrupted opening the next sector
    tail.end = max(1, ring.page - 1), max(0, ring.cell - 1)
    # The next page and cell may be half programmed, even if they look blank. So boots that see them as blank, as valid
    # or as damaged write to different places: no boot touches what another one may have left half programmed.
    ring.page = min(max(ring.page, tail.stabilised + 1) + 1 + tail.copies + damaged, PAGES)
    ring.cell += 1 + tail.copies + damaged_cell
    return True


def _replay_mark(journal: Journal, tail: Tail, cell: memoryview) -> None:
    """Apply a mark. Its records may come after it."""
    state = journal.state
    layout.apply_mark(cell, state)
    for kind, sequence in layout.marked_records(cell):
        journal.dispositions.set(sequence, kind)
    tail.covered = newest_at(cell, state.sequence)
    if tail.covered != state.sequence:
        state.sequence = tail.covered  # if lower, an earlier boot ignored a record
        zero(journal.last)
    if cell[0] == layout.SEEN:
        tail.stabilised = max(tail.stabilised, cell[2])
        tail.told = max(tail.told, cell[3])
    again = bool(tail.mark) and cell[0] == tail.mark[0] and cell[2:8] == tail.mark[2:8]
    tail.copies = tail.copies + 1 if again else 0
    tail.mark = bytearray(cell)
    journal.ring.known_blank = cell[19]
    tail.record = tail.counted = tail.opened = False


def _replay_record(journal: Journal, tail: Tail, page: int) -> None:
    """Apply the valid record in the buffer. It is counted unless the header or an earlier mark includes it."""
    record = layout.Record(journal.view)
    state = journal.state
    tail.opened = False
    if record.sequence < state.sequence or record.sequence > tail.covered and page <= tail.stabilised:
        return
    if record.sequence > state.sequence:
        tail.counted = True
    elif tail.counted:  # a copy of the newest record, or its replacement after a cut
        state.count, state.sum, state.oldest = tail.before
    if tail.counted:
        tail.before = state.count, state.sum, state.oldest
        if record.kind == layout.ACCEPTED:
            journal.charge(record.amount, record.time)
    if record.sequence > tail.covered:
        tail.record = True
        tail.mark = bytearray()
        tail.copies = tail.copies + 1 if record.sequence == state.sequence else 0
    state.sequence = record.sequence
    _is_last(journal, journal.ring.sector)


def _is_last(journal: Journal, sector: int) -> None:
    """Take the record in the buffer as the newest one."""
    journal.last[:] = journal.view[:64]
    journal.head[:] = journal.view[layout.SEAL : layout.SEALED]
    journal.newest_sector = sector


def _repaired(journal: Journal, tail: Tail, torn: int) -> bool:
    """Repair one flipped bit in a damaged page. True if it then is the next or the newest record."""
    from kassa.vault.journal.bit_repair import repair_record

    sector, newest = journal.ring.sector, journal.state.sequence
    if repair_record(journal, sector, torn, journal.buffer, newest + 1):
        _replay_record(journal, tail, torn)
        return True
    return repair_record(journal, sector, torn, journal.buffer, newest)


# -- the last payment --------------------------------------------------------------------------------------------------


def _last_payment(journal: Journal) -> None:
    """Find the newest record, if it is not in the newest sector, and what was decided about it."""
    newest = journal.state.sequence
    for sequence in range(newest, max(0, newest - PAGES), -1):
        if layout.number(journal.last, 4) == sequence:
            break
        reader = Reader(journal, sequence)
        if reader.read(journal.buffer) == sequence:
            _is_last(journal, reader.place[0])
            break
    last, sector = layout.number(journal.last, 4), journal.newest_sector
    if sector != journal.ring.sector:  # marks in the newest sector are in `dispositions` already
        for cell in walk(journal, sector, False, journal.ring.sector):
            for kind, about in layout.marked_records(cell):
                if about == last:
                    journal.disposition = kind
    journal.disposition = journal.dispositions.get(last) or journal.disposition
    if 0 < last <= journal.state.watermark and journal.disposition not in layout.NOT_PAID:
        journal.disposition = layout.WATERMARK
