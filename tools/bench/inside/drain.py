# SPDX-License-Identifier: MIT
"""A queue of deferred payments, without asyncio, TLS or network: `drain.py WORK ...`.

WORK: `fill COUNT HOME` writes COUNT payments to the flash of the terminal in HOME; HOME/bodies holds their card data,
160 bytes each. `dialogue N BODIES SECRET BLOCK`: the firmware's courier sends N payments from a flash in memory that is
filled with all of BODIES; prints each window of frames in hex and reads the answers. `step N BODIES SECRET BLOCK
ANSWERS`: the same, with the answers of a dialogue (a JSON list). Only `fill` uses random numbers: the frames of
`dialogue` and `step` are the same.
"""

import gc
import json
import os
import sys

import native_poll  # noqa: F401  before anything imports asyncio
from keyring import open_keyring
from memory import Memory

from kassa.clock import Clock
from kassa.crypto.device_keys import JOURNAL, device_key
from kassa.crypto.dukpt import DATA, MAC_SEAL
from kassa.crypto.sealing import Sealer
from kassa.status import Status
from kassa.uplink.courier import Courier
from kassa.uplink.exchange import Exchange
from kassa.uplink.identity import Identity
from kassa.vault.journal import layout
from kassa.vault.journal.draft import Draft
from kassa.vault.journal.journal import Journal
from kassa.vault.keyring.keyring import Keyring

_SALE = 0x22
_CONTACTLESS = 7
_TIME = 800000000
_BODY = 160
_RECORDS = 15  # per sector
_RECEIVED = 256  # bytes per read from the channel, as in the firmware


class Counting:
    """Consecutive numbers in place of random ones."""

    def __init__(self) -> None:
        self._next = 0

    def __call__(self, size: int) -> bytes:
        self._next += 1
        return self._next.to_bytes(4, "big") + bytes(size - 4)


class Queue:
    """Accepts deferred payments as a till does."""

    def __init__(self, journal: Journal, keyring: Keyring, entropy: object) -> None:
        self._journal, self._keyring, self._entropy = journal, keyring, entropy
        self._draft = Draft()
        self._taken = 0

    def take(self, body: bytearray) -> None:
        """Accept one payment. Its amount is its number."""
        while self._journal.prepare():
            pass
        draft, key, other = self._draft, bytearray(16), bytearray(16)
        self._taken += 1
        draft.counter = self._keyring.take(DATA, key, MAC_SEAL, other)
        draft.stan = self._keyring.next_stan()
        draft.uid[:] = self._entropy(16)
        draft.nonce[:] = self._entropy(16)
        draft.type, draft.entry, draft.time, draft.amount = _SALE, _CONTACTLESS, _TIME, self._taken
        draft.mask[:3], draft.mask[3:] = body[2:5], body[8:10]
        draft.data = body
        sealer = Sealer(key, other, draft.nonce)
        self._journal.accept(draft, sealer, layout.ACCEPTED)
        sealer.wipe()


def fill(count: str, home: str) -> None:
    os.chdir(home)
    from esp32 import Partition  # opens flash.bin in the current folder
    from kassa.vault.journal.mount import mount

    with open("efuse.bin", "rb") as fuses:
        secret = bytearray(fuses.read())
    journal = Journal(Partition("journal"), device_key(secret, JOURNAL))
    mount(journal)
    queue = Queue(journal, open_keyring(Partition("keyring"), secret), os.urandom)
    with open("bodies", "rb") as bodies:
        for _ in range(int(count)):
            queue.take(bytearray(bodies.read(_BODY)))
    print(json.dumps({"count": journal.state.count}))


def courier(bodies: str, secret: str, block: str) -> Courier:
    """The firmware's courier with these payments to send."""
    entropy = Counting()
    store = Memory(8)
    store.writeblocks(0, block.encode())
    keyring = open_keyring(store, bytearray(bytes.fromhex(secret)))
    count = os.stat(bodies)[6] // _BODY
    journal = Journal(Memory(count // _RECORDS + 8), bytearray(b"journal key 16 B"))
    queue = Queue(journal, keyring, entropy)
    with open(bodies, "rb") as file:
        for _ in range(count):
            queue.take(bytearray(file.read(_BODY)))
    keyring.reserve_ahead()
    who = Identity(b"KASSA001", b"898000000000001")
    return Courier(journal, keyring, who, Clock(), Status(), entropy)


def drain(sender: Courier, count: int, ask: object) -> None:
    """Send `count` payments, a window at a time. `ask(frames)` returns the bytes of the answers."""
    sender.open()
    exchange = Exchange(sender)
    left = 1  # the handshake
    while left:
        frames = []
        while left and (frame := exchange.next_frame()) is not None:
            frames.append(bytes(frame))
            left -= 1
        answers = memoryview(ask(frames))
        for at in range(0, len(answers), _RECEIVED):
            exchange.feed(answers[at : at + _RECEIVED])
        if not left:
            left, count = count, 0
    sender.disconnected()


def dialogue(count: str, *more: str) -> None:
    def ask(frames: list) -> bytes:
        print(b"".join(frames).hex())
        return bytes.fromhex(sys.stdin.readline())

    drain(courier(*more), int(count), ask)


def step(count: str, bodies: str, secret: str, block: str, recorded: str) -> None:
    """Send with recorded answers, and print how many heap bytes were allocated."""
    with open(recorded) as file:
        answers = [bytes.fromhex(window) for window in json.load(file)]
    answers.reverse()
    sender = courier(bodies, secret, block)
    before = sender.journal.state.count
    gc.collect()
    start = gc.mem_alloc()
    drain(sender, int(count), lambda frames: answers.pop())
    print(json.dumps({"bytes": gc.mem_alloc() - start, "settled": before - sender.journal.state.count}))


if __name__ == "__main__":
    works = {"fill": fill, "dialogue": dialogue, "step": step}
    works[sys.argv[1]](*sys.argv[2:])
