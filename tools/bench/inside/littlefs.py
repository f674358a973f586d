# SPDX-License-Identifier: MIT
"""littlefs at the same work: a file of 256 B for each payment, deleted when it is settled; ten wait at any time.

`littlefs.py N plain` with the port's own sizes, `littlefs.py N tuned` with the best found: files become inline.
"""

import json
import os
import sys

import vfs
from tally import Tally

_WAITING = 10
_TUNED = {"readsize": 64, "progsize": 64, "mtime": False}
_RECORD = bytes(range(256))


def trade(payments: int, options: dict) -> dict:
    """Pay and settle after a lap that has used every sector."""
    tally = Tally()
    vfs.VfsLfs2.mkfs(tally.flash, **{name: value for name, value in options.items() if name != "mtime"})
    vfs.mount(vfs.VfsLfs2(tally.flash, **options), "/flash")
    os.mkdir("/flash/q")
    for number in range(2 * payments):
        if number == payments:
            tally.start()
        tally.pay(lambda at=number: _keep(at))
        if number >= _WAITING:
            os.remove("/flash/q/%d" % (number - _WAITING))
    return tally.told()


def _keep(number: int) -> None:
    file = open("/flash/q/%d" % number, "wb")
    file.write(_RECORD)
    file.close()


print(json.dumps(trade(int(sys.argv[1]), _TUNED if sys.argv[2] == "tuned" else {})))
