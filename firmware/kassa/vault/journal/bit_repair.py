# SPDX-License-Identifier: MIT
"""Repairs one flipped bit in a record or mark: flips each bit in turn until the journal tag verifies."""

from micropython import const

from kassa.vault.journal import layout
from kassa.vault.journal.layout import PAGE, PAGES
from kassa.vault.journal.store import Store
from kassa.vault.journal.tags import flip

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

_FLAG = const(8 * 53 + 5)  # the bit that tells that a record has a second page


def repair_mark(cell: memoryview, holds: "Callable[[memoryview], bool]") -> bool:
    """Flip each bit of `cell` in turn until `holds(cell)`. False, with `cell` unchanged, when no bit helps."""
    for bit in range(8 * len(cell)):
        flip(cell, bit)
        if holds(cell):
            return True
        flip(cell, bit)
    return False


def repair_record(journal: Store, sector: int, page: int, into: bytearray, sequence: int) -> bool:
    """Read a damaged page (256 B) into `into` and repair one flipped bit. True if it then is the record `sequence`.

    A record of two pages is not repaired.
    """
    view = memoryview(into)
    journal.ring.flash.readblocks(sector, view, page * PAGE)
    place = sector * PAGES + page
    if place not in journal.repairs:
        if not _near(view, sequence):
            return False
        if view[53] & layout.FLAG_LONG:  # then only this bit can be wrong
            journal.repairs[place] = _FLAG
        else:
            journal.repairs[place] = journal.tags.repair_record(view)
            return journal.repairs[place] >= 0 and layout.number(view, 4) == sequence
    if journal.repairs[place] < 0:
        return False
    flip(view, journal.repairs[place])
    return layout.number(view, 4) == sequence and journal.tags.record_holds(view)


def _near(page: memoryview, sequence: int) -> bool:
    """Whether kind and sequence differ from those expected in one bit at most. Avoids a long search in torn pages."""
    wrong = layout.number(page, 4) ^ sequence
    kinds = min(_bits(page[0] ^ layout.ACCEPTED), _bits(page[0] ^ layout.INTENT))
    return _bits(wrong) + kinds <= 1 and page[layout.SEALED :] != layout.BLANK[: layout.TAG]


def _bits(value: int) -> int:
    count = 0
    while value:
        value &= value - 1
        count += 1
    return count
