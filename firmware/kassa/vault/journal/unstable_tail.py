# SPDX-License-Identifier: MIT
"""Stabilises the end of the journal at boot. A power cut can leave cells half programmed, which then read differently
each time.
"""

from micropython import const

from kassa import transactions
from kassa.money import unpack_bcd
from kassa.vault.journal import layout
from kassa.vault.journal.layout import HEADER_SIZE, MARK_SIZE, PAGE, PAGES, PREFIX_SIZE, State
from kassa.vault.journal.reader import Reader

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.journal.journal import Journal
    from kassa.vault.journal.tail import Tail

_LOOKS = const(6)  # reads of each place that may be half programmed
_NEAR = const(5)  # pages or cells after the last valid one that earlier boots may have written to


def is_unstable(journal: "Journal", tail: "Tail") -> bool:
    """Whether the end of the newest sector, or what follows it, reads differently each time."""
    ring = journal.ring
    page, cell = tail.end
    places = [(number * PAGE, PREFIX_SIZE) for number in range(page, min(page + _NEAR, PAGES))]
    first = ring.cells * PAGE + (HEADER_SIZE if ring.cells == 0 else 0)
    size = min(PAGE - first % PAGE - cell * MARK_SIZE, _NEAR * MARK_SIZE)
    if size > 0:
        places.append((first + cell * MARK_SIZE, size))
    for offset, size in places:
        seen, again = journal.view[:size], bytearray(size)
        ring.flash.readblocks(ring.sector, seen, offset)
        for _ in range(_LOOKS):
            ring.flash.readblocks(ring.sector, again, offset)
            if again != seen:
                return True
    return False


def write_again_elsewhere(journal: "Journal", tail: "Tail") -> bool:
    """Program the same bytes again where they were written last, and leave the sector. The next one is erased first.

    False when the record reads differently now.
    """
    ring = journal.ring
    if tail.record:
        reader = Reader(journal, journal.state.sequence)
        if reader.read(journal.buffer) != journal.state.sequence or journal.buffer[:64] != journal.last:
            return False
        ring.write(reader.place[1] * PAGE, journal.buffer, journal.tags.page)
    elif tail.mark:
        _, page, cell = tail.place
        ring.write(page * PAGE + (0 if page else HEADER_SIZE) + cell * MARK_SIZE, tail.mark, bytearray(MARK_SIZE))
    ring.leave_sector()
    ring.known_blank = 0
    return True


def write_again(journal: "Journal", tail: "Tail") -> bool:
    """Write a copy of what was written last, then SEEN. After that, half-programmed cells change nothing.

    An undecided intent gets REVERSING or DEFERRED. False when the newest record or header reads differently now.
    """
    sequence = layout.number(journal.last, 4)
    undecided = journal.last[0] == layout.INTENT and not journal.disposition and sequence > journal.state.watermark
    if tail.record:
        reader = Reader(journal, sequence)
        if reader.read(journal.buffer) != sequence or journal.buffer[:64] != journal.last:
            return False
        journal.rewrite(reader.rest)
    elif tail.mark and tail.mark[0] != layout.SEEN:
        kind, about = tail.mark[0], layout.number(tail.mark, 4)
        journal.write_mark(
            kind, about, bytes(tail.mark[2:4]), layout.number(tail.mark, 20) if kind in layout.SOME else 0
        )
    elif tail.opened and not _stabilise_header(journal):
        return False
    if undecided:  # at boot, every intent without a mark counts as sent
        if transactions.is_reversed(journal.last[1]):
            journal.mark(layout.REVERSING, sequence, b"98")
        else:
            amount = unpack_bcd(journal.last, 24, 6)
            journal.mark(layout.DEFERRED, sequence, b"98", charged=(amount, layout.number(journal.last, 44)))
    if tail.torn or undecided or tail.record or tail.mark and tail.mark[0] != layout.SEEN:
        journal.seen(False)
    else:
        journal.seen_due = True
    return True


def _stabilise_header(journal: "Journal") -> bool:
    """Program the newest header again with the same bytes. False when it reads differently now."""
    if not journal.read_header(journal.ring.sector, State()):
        return False
    journal.ring.write(0, journal.tags.header, bytearray(HEADER_SIZE))
    return True
