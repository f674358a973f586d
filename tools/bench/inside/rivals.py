# SPDX-License-Identifier: MIT
"""What one would take instead of our journal, at the same work on the same chip: `rivals.py NAME WORK ...`.

NAME: `littlefs` and `fat` keep a file of 256 B for each payment, deleted when it is settled, with the port's own sizes;
`littlefs_tuned` with the best sizes found (small files become inline); `json` rewrites one file of base64 records on
littlefs at every change. WORK: `trade N`, after N payments that do not count; `fill` until the store refuses;
`read N`: what is read after power-on, as in journal_boot.py, with N unsettled payments.
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
    """A file a payment, in one folder."""

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
        """Raises OSError when there is no room."""
        file = open("%s/%d" % (_QUEUE, number), "wb")
        try:
            file.write(_RECORD)
        finally:
            file.close()

    def settle(self, number: int) -> None:
        os.remove("%s/%d" % (_QUEUE, number))

    def find(self) -> list:
        """What is unsettled: names."""
        return [entry[0] for entry in os.ilistdir(_QUEUE)]

    def read(self, found: list) -> None:
        """Every record of it."""
        for name in found:
            with open("%s/%s" % (_QUEUE, name), "rb") as file:
                file.read()

    def fill(self) -> int:
        """Records the chip holds."""
        self.make(Tally())
        number = 0
        try:
            while True:
                self.pay(number)
                number += 1
        except OSError:
            return number

    def keep(self, unsettled: int) -> None:
        """So many unsettled payments."""
        for number in range(unsettled):
            self.pay(number)


class Json(Files):
    """One file, rewritten whole."""

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
        """They are all there."""

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
        """Whether one record after another can be added until there are so many."""
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
    return tally.told()


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
