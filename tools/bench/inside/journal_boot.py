# SPDX-License-Identifier: MIT
"""Costs of booting our journal with N unsettled payments: bytes read (`journal_boot.py read N`), heap (`... heap N`).

`ready`: bytes read from power-on until the next payment's record is programmed; the maximum over every place in a
sector where the newest record can be (with N = 0, over a new chip too). `recovery`: bytes read until the journal is
mounted and every unsettled record and mark is read and verified.
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
    """Number of bytes read, and of records found."""
    tally = Tally(CHIP, image)
    journal = _boot(tally)
    recover(journal)
    missing = sum(kind == MISSING for _, kind in journal.dispositions.items())
    return tally.read(), journal.state.sequence - journal.state.watermark - missing


def _filled(unsettled: int) -> Shop:
    """A shop with this many unsettled payments; for 0, one that has paid and settled for a whole lap."""
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
    """Heap bytes of a mounted journal with its marks. Counted twice: the first count includes one-off allocations."""
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
