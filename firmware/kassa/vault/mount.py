# SPDX-License-Identifier: MIT
"""Opens a journal at boot: finds its newest sector, its state and its last payment, and deals with a distrusted tail."""

from kassa.errors import JournalDamaged
from kassa.vault import layout
from kassa.vault.journal import Journal
from kassa.vault.layout import BLANK, PAGE, PAGES, State
from kassa.vault.reader import marks_of_page, marks_of_sector, newest_at

_PAST_A_MARK = BLANK[layout.MARK_SIZE :]


class Tail:
    """What boot found at the end of the journal."""

    def __init__(self) -> None:
        self.sector = -1  # where the newest record is
        self.page = 0  # 0 = there is none
        self.marked = True  # a mark was written after it: it is trusted
        self.torn = False  # a record that was not finished stands behind the newest one, and nobody was told yet


def mount(journal: Journal) -> Tail:
    """Fill the journal's state from flash. Reads 16 B a sector, the newest sector, and the one before it at need.

    Raises JournalDamaged when the partition holds something, but no journal of this device.
    """
    tail = Tail()
    sector = _newest(journal)
    if sector < 0:
        return tail
    journal.sector = sector
    _read_sector(journal, tail)
    back = sector
    for _ in range(journal.sectors):
        if journal.last[0] or not journal.state.sequence:
            break
        back = (back - 1) % journal.sectors
        _last_record(journal, tail, back)
    _find_fate(journal, back)
    if journal.last[2] << 8 | journal.last[3] != journal.state.epoch:
        journal.begin_chain()
    if tail.page and not tail.marked:
        _copy_forward(journal, tail)
    elif journal.last[0] == layout.INTENT and not journal.fate:
        _reverse(journal)
    return tail


def _newest(journal: Journal) -> int:
    """The newest sector whose header holds, -1 for a partition that is blank. Leaves its state in the journal."""
    prefix = bytearray(layout.PREFIX_SIZE)
    bound = 1 << 32
    blank = True
    while True:
        best, found = -1, -1
        for sector in range(journal.sectors):
            journal.flash.readblocks(sector, prefix, 0)
            if layout.is_header(prefix):
                serial = layout.number(prefix, 4)
                if best < serial < bound:
                    best, found = serial, sector
            if prefix != BLANK[: layout.PREFIX_SIZE]:
                blank = False
        if found < 0:
            if blank and _no_record_anywhere(journal) or _only_a_torn_header(journal):
                return -1
            raise JournalDamaged("no journal of this device in the journal partition")
        if journal.read_header(found, journal.state):
            return found
        bound = best


def _only_a_torn_header(journal: Journal) -> bool:
    """Whether power died while the very first sector was opened: some bits of its header are set, and nothing else is there."""
    first = State()
    first.serial = 1
    wanted = journal.header_of(first)
    page = bytearray(PAGE)
    for number in range(PAGES * journal.sectors):
        journal.flash.readblocks(number // PAGES, page, number % PAGES * PAGE)
        if number == 0:
            for index in range(layout.HEADER_SIZE):
                if page[index] & wanted[index] != wanted[index]:  # a bit is clear that would never be
                    return False
                page[index] = 0xFF
        if page != BLANK:
            return False
    return True


def _no_record_anywhere(journal: Journal) -> bool:
    """Whether every first record page is blank too: headers alone wiped is damage, not a new chip."""
    prefix = bytearray(layout.PREFIX_SIZE)
    for sector in range(journal.sectors):
        journal.flash.readblocks(sector, prefix, PAGE)
        if prefix != BLANK[: layout.PREFIX_SIZE]:
            return False
    return True


def _read_sector(journal: Journal, tail: Tail) -> None:
    """Replay the newest sector: marks carry the whole state, records behind the last mark are added to it."""
    state = journal.state
    buffer = journal.buffer
    marked = -1
    torn = told = 0  # pages
    journal.page = 1
    journal.cells = journal.cell = 0
    for page in range(PAGES):
        journal.flash.readblocks(journal.sector, buffer, page * PAGE)
        if page and buffer == BLANK:
            continue
        if page:
            journal.page = page + 1
        if page and not layout.is_mark(buffer[0]):
            if journal.holds(buffer):
                _take_record(journal, tail, page)
                torn = 0
            elif buffer[layout.MARK_SIZE :] != _PAST_A_MARK:
                torn = page
            continue
        for index, cell in marks_of_page(journal, journal.sector, page, state.serial):
            journal.cells, journal.cell = page, index + 1
            if cell is None:
                continue
            layout.apply_mark(cell, state)
            if cell[0] == layout.SEEN:
                told = cell[3]
            state.sequence = marked = newest_at(cell, state.sequence)  # stays used even where its record rotted
    tail.marked = marked >= state.sequence
    tail.torn = torn > told


def _take_record(journal: Journal, tail: Tail, page: int) -> None:
    """A valid record; it is counted unless the header or a mark read before has done so."""
    record = layout.Record(journal.buffer)
    state = journal.state
    fresh = record.sequence > state.sequence
    if fresh:
        state.sequence = record.sequence
    journal.last[:] = journal.buffer[:64]
    journal.head[:] = journal.buffer[240:248]
    if record.kind == layout.ACCEPTED and fresh:
        journal.charge_deferred(record.amount, record.time)
    tail.sector, tail.page = journal.sector, page


def _last_record(journal: Journal, tail: Tail, sector: int) -> None:
    """Take the newest record of an older sector as the last payment."""
    buffer = journal.buffer
    for page in range(PAGES - 1, 0, -1):
        if journal.read_record(sector, page, buffer) and layout.number(buffer, 4) <= journal.state.sequence:
            journal.last[:] = buffer[:64]
            journal.head[:] = buffer[240:248]
            tail.sector, tail.page = sector, page
            return


def _find_fate(journal: Journal, sector: int) -> None:
    """What was decided about the newest record, from the sector that holds it to the newest one."""
    while True:
        for kind, about, _ in marks_of_sector(journal, sector):
            journal.decide(kind, about)
        if sector == journal.sector:
            return
        sector = (sector + 1) % journal.sectors


def _copy_forward(journal: Journal, tail: Tail) -> None:
    """Copy an unmarked tail record to the next page and mark it, so that unstable cells cannot change their mind later."""
    journal.read_record(tail.sector, tail.page, journal.buffer)
    journal.rewrite()
    if journal.last[0] == layout.INTENT and not journal.fate:
        _reverse(journal)
    else:
        journal.mark(layout.SEEN, journal.state.sequence)


def _reverse(journal: Journal) -> None:
    """At boot every intent without an answer counts as sent."""
    journal.mark(layout.REVERSING, journal.state.sequence, b"98")
