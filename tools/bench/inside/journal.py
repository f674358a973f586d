# SPDX-License-Identifier: MIT
"""Our journal at work on a used chip: `journal.py WORK ...`.

WORK: `trade N WINDOW` makes N payments, settled a window at a time. `starved N` settles them one by one, in a till that
is never idle. `drained FROM TO`, in such a till: FROM payments without network, then all settled one by one; the same
with one payment more, and so on up to TO. `wear LAPS` makes payments until each sector was erased that many times.
`fill` makes payments until the till refuses.
"""

import json
import sys

from journal_till import Shop

from kassa.errors import JournalFull


def trade(payments: str, window: str) -> dict:
    shop = Shop()
    shop.lap()
    shop.trade(int(payments), int(window))
    return shop.tally.report()


def starved(payments: str) -> dict:
    shop = Shop(idles=False)
    shop.lap()
    shop.trade(int(payments), 1)
    return shop.tally.report()


def drained(first: str, last: str) -> dict:
    shop = Shop(idles=False)
    shop.lap()
    for payments in range(int(first), int(last) + 1):
        for _ in range(payments):
            shop.pay()
        while shop.waiting():
            shop.settle(1)
    return shop.tally.report()


def wear(laps: str) -> dict:
    shop = Shop()
    shop.lap()
    erases = int(laps) * shop.journal.ring.sectors
    while shop.tally.erased() < erases:
        shop.trade(1, 1)
    return shop.tally.report()


def fill() -> dict:
    shop = Shop()
    try:
        while True:
            shop.pay()
    except JournalFull:
        return {"records": shop.waiting()}


works = {"trade": trade, "starved": starved, "drained": drained, "wear": wear, "fill": fill}
print(json.dumps(works[sys.argv[1]](*sys.argv[2:])))
