# SPDX-License-Identifier: MIT
"""Power comes back, N payments unsettled: what our journal reads, `journal_boot.py read N`, and keeps on the heap, `... heap N`.

`ready`: bytes read from power-on until the next payment's record is programmed, the most of every place in a sector that
the newest record can have (with none unsettled: of a new chip too). `recovery`: mounted, and every unsettled record and
mark read and checked.
"""

import gc
import json
import sys

from journal_till import KEY, Shop, pay
from tally import CHIP, Tally

from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import MISSING
from kassa.vault.journal.draft import Draft
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.mount import mount
from kassa.vault.journal.recovery import recover


def _boot(tally: Tally) -> Journal:
    journal = Journal(tally.flash, bytearray(KEY))
    mount(journal)
    return journal


def _ready(image: bytes) -> int:
    tally = Tally(CHIP, image)
    pay(tally, _boot(tally), Draft())
    return tally.read_before


def _recovery(image: bytes) -> tuple[int, int]:
    """Bytes read, and records found."""
    tally = Tally(CHIP, image)
    journal = _boot(tally)
    recover(journal)
    missing = sum(kind == MISSING for _, kind in journal.dispositions.items())
    return tally.read(), journal.state.sequence - journal.state.watermark - missing


def _filled(unsettled: int) -> Shop:
    """A shop with so many unsettled payments; with none, one that has paid and settled a lap long."""
    shop = Shop()
    if not unsettled:
        shop.lap()
        shop.settle(shop.waiting())
    for _ in range(unsettled):
        shop.pay()
    return shop


def read(unsettled: int) -> dict:
    shop = _filled(unsettled)
    recovery, records = _recovery(shop.tally.image())
    ready = 0
    for _ in range(layout.PAGES - 1):
        ready = max(ready, _ready(shop.tally.image()))
        gc.collect()
        shop.pay()
        if not unsettled:
            shop.settle(1)
    if not unsettled:
        ready = max(ready, _ready(b""))
        recovery = max(recovery, _recovery(b"")[0])
    return {"ready": ready, "recovery": recovery, "records": records}


def heap(unsettled: int) -> dict:
    """Bytes of the heap that a mounted journal with its marks takes; counted twice, what the first time leaves behind is not it."""
    tally = _filled(unsettled).tally
    _kept(tally)
    return _kept(tally)


def _kept(tally: Tally) -> dict:
    gc.collect()
    before = gc.mem_alloc()
    journal = _boot(tally)
    recover(journal)
    gc.collect()
    return {"bytes": gc.mem_alloc() - before, "count": journal.state.count}


print(json.dumps((heap if sys.argv[1] == "heap" else read)(int(sys.argv[2]))))
