# SPDX-License-Identifier: MIT
"""The keyring at work: two key counters per payment (one for its body, one for its message) and one STAN."""

import json
import os
import sys

from tally import Tally

from kassa.crypto.device_keys import KBPK, KEYRING, device_key
from kassa.crypto.dukpt import DATA, MAC_DOWN, MAC_SEAL, MAC_UP
from kassa.vault.keyring.keyring import Keyring

_SIZE = 0x8000


def open_keyring(flash: object, secret: bytearray) -> Keyring:
    """Open the keyring as at boot."""
    keyring = Keyring(flash, device_key(secret, KEYRING), os.urandom)
    keyring.open(device_key(secret, KBPK))
    return keyring


def trade(payments: int, secret: bytearray, block: bytes) -> dict:
    """Count the operations of this many payments, after a second start of the keyring."""
    tally = Tally(_SIZE)
    tally.flash.writeblocks(0, block + b"\xff" * (4096 - len(block)))
    open_keyring(tally.flash, secret)
    before = tally.read()
    keyring = open_keyring(tally.flash, secret)
    ready = tally.read() - before
    tally.start()
    key, other = bytearray(16), bytearray(16)
    for _ in range(payments):
        keyring.take(DATA, key, MAC_SEAL, other)
        keyring.next_stan()
        keyring.take(MAC_UP, key, MAC_DOWN, other)
    return dict(tally.report(), ready=ready)


if __name__ == "__main__":
    print(json.dumps(trade(int(sys.argv[1]), bytearray(bytes.fromhex(sys.argv[2])), sys.argv[3].encode())))
