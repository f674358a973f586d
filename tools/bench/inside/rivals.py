# SPDX-License-Identifier: MIT
"""Alternatives to our journal, doing the same work on the same chip model: `rivals.py NAME WORK ...`.

NAME: `littlefs` and `fat` keep one file of 256 B per payment, deleted when it is settled, with the port's default
sizes; `littlefs_tuned` uses the best sizes found (small files become inline); `json` is one file of base64 records on
littlefs, rewritten at every change. WORK: `trade N` counts N payments after N uncounted ones; `fill` adds payments
until the store refuses; `read N` counts the bytes read after power-on with N unsettled payments, as in journal_boot.py.
"""

import binascii
import json
import os
import sys

import vfs
from tally import CHIP, Tally

_WAITING = 10
_RECORD = bytes(range(256))
_MOUNT = "/flash"
_QUEUE = "/flash/queue"


class Files:
    """One file per payment, in one folder."""

    def __init__(self, kind: type, sizes: dict, more: dict) -> None:
        self._kind, self._sizes, self._more = kind, sizes, more

    def make(self, tally: Tally) -> None:
        """Format the chip and mount it."""
        self._kind.mkfs(tally.flash, **self._sizes)
        self.mount(tally)
        os.mkdir(_QUEUE)

    def mount(self, tally: Tally) -> None:
        vfs.mount(self._kind(tally.flash, **self._sizes, **self._more), _MOUNT)

    def pay(self, number: int) -> None:
        """Store one payment. Raises OSError if there is no room."""
        file = open("%s/%d" % (_QUEUE, number), "wb")
        try:
            file.write(_RECORD)
        finally:
            file.close()

    def settle(self, number: int) -> None:
        os.remove("%s/%d" % (_QUEUE, number))

    def find(self) -> list:
        """Names of the unsettled payments."""
        return [entry[0] for entry in os.ilistdir(_QUEUE)]

    def read(self, found: list) -> None:
        """Read every unsettled record."""
        for name in found:
            with open("%s/%s" % (_QUEUE, name), "rb") as file:
                file.read()

    def fill(self) -> int:
        """Number of records that fit on the chip."""
        self.make(Tally())
        number = 0
        try:
            while True:
                self.pay(number)
                number += 1
        except OSError:
            return number

    def keep(self, unsettled: int) -> None:
        """Store this many unsettled payments."""
        for number in range(unsettled):
            self.pay(number)


class Json(Files):
    """One file, rewritten as a whole at every change."""

    def __init__(self) -> None:
        super().__init__(vfs.VfsLfs2, {}, {})
        self._queue = []

    def _rewrite(self) -> None:
        file = open(_QUEUE + "/payments.json", "w")
        try:
            json.dump(self._queue, file)
        finally:
            file.close()

    def keep(self, unsettled: int) -> None:
        record = str(binascii.b2a_base64(_RECORD)[:-1], "ascii")
        self._queue = [record] * unsettled
        self._rewrite()

    def pay(self, number: int) -> None:
        self._queue.append(str(binascii.b2a_base64(_RECORD)[:-1], "ascii"))
        self._rewrite()

    def settle(self, number: int) -> None:
        self._queue.pop(0)
        self._rewrite()

    def find(self) -> list:
        with open(_QUEUE + "/payments.json") as file:
            return json.load(file)

    def read(self, found: list) -> None:
        """Nothing to do: `find` has read them all."""

    def fill(self) -> int:
        low, high = 0, CHIP // len(_RECORD)
        while high - low > 1:
            middle = (low + high) // 2
            if self._takes(middle):
                low = middle
            else:
                high = middle
        return low

    def _takes(self, records: int) -> bool:
        """Whether one record can be added to a queue of `records` - 1."""
        self.make(Tally())
        try:
            self.keep(records - 1)
            self.pay(0)
        except OSError:
            return False
        finally:
            vfs.umount(_MOUNT)
        return True


def trade(store: Files, payments: str) -> dict:
    tally = Tally()
    store.make(tally)
    count = int(payments)
    for number in range(2 * count):
        if number == count:
            tally.start()
        tally.pay(lambda at=number: store.pay(at))
        if number >= _WAITING:
            store.settle(number - _WAITING)
    return tally.report()


def fill(store: Files) -> dict:
    return {"records": store.fill()}


def read(store: Files, unsettled: str) -> dict:
    tally = Tally()
    store.make(tally)
    store.keep(int(unsettled))
    vfs.umount(_MOUNT)
    before = tally.read()
    store.mount(tally)
    found = store.find()
    ready = tally.read() - before
    store.read(found)
    return {"ready": ready, "recovery": tally.read() - before, "records": len(found)}


stores = {
    "littlefs": lambda: Files(vfs.VfsLfs2, {}, {}),
    "littlefs_tuned": lambda: Files(vfs.VfsLfs2, {"readsize": 64, "progsize": 64}, {"mtime": False}),
    "fat": lambda: Files(vfs.VfsFat, {}, {}),
    "json": Json,
}
works = {"trade": trade, "fill": fill, "read": read}
print(json.dumps(works[sys.argv[2]](stores[sys.argv[1]](), *sys.argv[3:])))
