# SPDX-License-Identifier: MIT
"""Writes a record of two pages. The first holds the rest of the body and is valid only with the record's own page."""

from micropython import const

from kassa.crypto.sealing import Sealer
from kassa.errors import FlashFault
from kassa.vault.journal import layout
from kassa.vault.journal.draft import Draft
from kassa.vault.journal.layout import DATA, PAGE, PAGES, REST_FROM, SEAL, SEALED
from kassa.vault.journal.store import Store

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

_TRIES = const(9)


def accept(journal: Store, draft: Draft, sealer: Sealer, open_sector: "Callable[[], bool]") -> None:
    """Seal and write the record that Journal.accept has begun. `draft.data`: 400 B. Raises FlashFault, JournalFull."""
    rest = bytearray(PAGE)
    page, end = journal.view, memoryview(rest)[REST_FROM:]
    data, tagged, seal_tag = page[DATA:SEAL], page[:SEAL], page[SEAL:SEALED]
    tags = journal.tags
    page[53] |= layout.FLAG_LONG
    data[:] = draft.data[: SEAL - DATA]
    end[:] = draft.data[SEAL - DATA :]
    sealer.body.encrypt(data, data)
    sealer.body.encrypt(end, end)
    tags.work[:] = tagged
    sealer.mac.absorb(tags.work)
    sealer.mac.last[:] = end[-16:]
    sealer.mac.finish(end[:-16], tags.blocks, seal_tag)
    tags.absorb(tagged)
    tags.record(end, seal_tag, page[SEALED:])
    append(journal, rest, open_sector)


def append(journal: Store, rest: bytearray, open_sector: "Callable[[], bool]") -> None:
    """Program `rest`, then the buffer, both into one sector. Fills in the first 16 bytes of `rest`.

    Raises FlashFault, JournalFull.
    """
    ring, back = journal.ring, journal.tags.page
    rest[:REST_FROM] = journal.buffer[:REST_FROM]
    rest[0] = layout.REST
    for _ in range(_TRIES):
        if ring.page + 1 >= PAGES and not open_sector():
            continue
        taken = False
        while ring.page < PAGES - (not taken):
            ring.page += 1
            if ring.write((ring.page - 1) * PAGE, journal.buffer if taken else rest, back):
                if taken:
                    return
                taken = True
        ring.leave_sector()
    raise FlashFault("journal write")
