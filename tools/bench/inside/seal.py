# SPDX-License-Identifier: MIT
"""Repeats one piece of work N times, for counting instructions: `seal.py WORK N SECRET BLOCK`.

WORK is `accept` (with ciphers prepared ahead) or `cold` (without). The other two measure overhead to be subtracted:
`device` for `accept` (the preparation, and the calls of the flash in memory), `memory` for `cold` (these calls only).
"""

import gc
import os
import sys

from keyring import open_keyring
from memory import Memory

from kassa.crypto.dukpt import DATA, MAC_SEAL
from kassa.crypto.sealing import Sealer
from kassa.vault.journal import layout
from kassa.vault.journal.draft import Draft
from kassa.vault.journal.journal import Journal

# Blocks to fill the holes that the start leaves in the heap. The position of the holes depends on the length of the
# project's path; unfilled, they cost each turn up to 8000 instructions of allocator search.
_HOLES = 20_000
_filling = []


def main(work: str, turns: int, secret: str, block: str) -> None:
    """Prepare what an idle till has ready, then repeat the work."""
    store = Memory(8)
    store.writeblocks(0, block.encode())
    keyring = open_keyring(store, bytearray(bytes.fromhex(secret)))
    key, other = bytearray(16), bytearray(16)
    keyring.take(DATA, key, MAC_SEAL, other)
    journal = Journal(Memory(8), bytearray(b"journal key 16 B"))
    while journal.prepare():
        pass
    draft = Draft()
    draft.amount, draft.time = 123456, 800000000
    sealers = []
    if work in ("accept", "device"):
        for _ in range(turns):
            sealers.append(Sealer(key, other, draft.nonce, True))
    gc.collect()
    _filling.extend([bytearray(1) for _ in range(_HOLES)])
    page = bytearray(layout.PAGE)
    for turn in range(turns):
        if work in ("accept", "device"):
            journal.stage(draft)  # done while the till is idle
        if work in ("device", "memory"):
            journal.ring.flash.writeblocks(0, page, 256)
            journal.ring.flash.readblocks(0, page, 256)
            if work == "device":
                journal.tags.mac._is_reset = False  # the state after computing a tag
        elif work == "accept":
            journal.accept(draft, sealers[turn], layout.ACCEPTED)
        else:
            draft.counter = keyring.take(DATA, key, MAC_SEAL, other)
            draft.uid[:] = os.urandom(16)
            draft.nonce[:] = os.urandom(16)
            sealer = Sealer(key, other, draft.nonce)
            journal.accept(draft, sealer, layout.ACCEPTED)
            sealer.wipe()


main(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4])
