# SPDX-License-Identifier: MIT
"""Undoes one flipped bit in a record or mark: its journal tag tells the right one, by trying them all."""

from micropython import const

from kassa.vault.journal import layout
from kassa.vault.journal.layout import PAGE, PAGES
from kassa.vault.journal.store import Store
from kassa.vault.journal.tags import flip

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

_FLAG = const(8 * 53 + 5)  # the bit that says a record goes on in another page


def mend_mark(cell: memoryview, holds: "Callable[[memoryview], bool]") -> bool:
    """Flip one bit after the other until `holds(cell)`; False, and nothing changed, when none is the one."""
    for bit in range(8 * len(cell)):
        flip(cell, bit)
        if holds(cell):
            return True
        flip(cell, bit)
    return False


def mend_record(journal: Store, sector: int, page: int, into: bytearray, sequence: int) -> bool:
    """Read a damaged page (256 B) into `into`; whether it is the record with this sequence once one bit is set right.

    Of a record of two pages the first is not searched.
    """
    view = memoryview(into)
    journal.ring.flash.readblocks(sector, view, page * PAGE)
    place = sector * PAGES + page
    if place not in journal.mends:
        if not _near(view, sequence):
            return False
        if view[53] & layout.FLAG_LONG:  # all that can be wrong with it is that
            journal.mends[place] = _FLAG
        else:
            journal.mends[place] = journal.tags.record_mends(view)
            return journal.mends[place] >= 0 and layout.number(view, 4) == sequence
    if journal.mends[place] < 0:
        return False
    flip(view, journal.mends[place])
    return layout.number(view, 4) == sequence and journal.tags.record_holds(view)


def _near(page: memoryview, sequence: int) -> bool:
    """Whether kind and sequence are those expected but for one bit: what was torn is not worth the time."""
    wrong = layout.number(page, 4) ^ sequence
    kinds = min(_bits(page[0] ^ layout.ACCEPTED), _bits(page[0] ^ layout.INTENT))
    return _bits(wrong) + kinds <= 1 and page[layout.SEALED :] != layout.BLANK[: layout.TAG]


def _bits(value: int) -> int:
    count = 0
    while value:
        value &= value - 1
        count += 1
    return count
