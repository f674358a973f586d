# SPDX-License-Identifier: MIT
"""A tap in MicroPython: `tap.py WORK [N] RECORDING`. The recording is JSON: an authority's key and the reader's frames.

`dialogue` prints each command APDU and reads the card's answer, in hex, one per line; then it prints the outcome.
`field` and `whole` replay a recorded tap N times through the firmware's driver, on a bus in memory: `field` until the
card may leave the field, `whole` including offline data authentication. `heap` prints the least free heap that
suffices, `bus` the number of bytes between processor and reader.
"""

import gc
import json
import sys

sys.path.pop()  # removes the board's modules, so that `select` is the interpreter's own

from kassa.card import (  # noqa: E402
    application_selection,
    evidence,
    kernel2_mastercard,
    kernel3_visa,
    prove_card,
    sealed_body,
    transaction,
)
from kassa.card.arena import Arena  # noqa: E402
from kassa.card.terms import Terms  # noqa: E402
from kassa.drivers.pn532 import PN532  # noqa: E402
from kassa.drivers.pn532_spi import SpiLink  # noqa: E402

LOADED = (
    application_selection,
    evidence,
    kernel2_mastercard,
    kernel3_visa,
    prove_card,
    sealed_body,
)  # before a tap is measured
_ACK = b"\x00\x00\xff\x00\xff\x00"
_STEP = 256  # bytes


class Keys:
    def __init__(self, rid: str, index: int, modulus: str, exponent: int) -> None:
        self._name = bytes.fromhex(rid), index
        self._key = bytes.fromhex(modulus), exponent

    def find(self, rid: bytes, index: int, date: bytes) -> tuple | None:
        return self._key if (bytes(rid), index) == self._name else None

    def revoked(self, rid: bytes, index: int, serial: bytes) -> bool:
        return False


class Bus:
    """Answers each written frame with an ACK and then the next reply, and counts the bytes."""

    def __init__(self, replies: list) -> None:
        self._replies = replies
        self._acknowledged = True
        self.count = self._at = 0

    def __call__(self, level: int = 0) -> int:
        """The chip select pin, and an interrupt line that is always low."""
        return 0

    def write(self, data: bytes) -> None:
        self.count += len(data)
        if len(data) > 1:
            self._acknowledged = False

    def readinto(self, into: bytearray) -> None:
        self.count += len(into)
        if not self._acknowledged:
            into[:] = _ACK
            self._acknowledged = True
            return
        reply = self._replies[self._at]
        into[: len(reply)] = reply
        self._at += 1


def _terms(keys: Keys) -> Terms:
    return Terms(12345, 156, 156, b"\x26\x11\x23", b"\xa1\xb2\xc3\xd4", merchant=b"KASSA001", authorities=keys)


def dialogue(keys: Keys) -> None:
    steps = transaction.read(_terms(keys), Arena())
    try:
        command = next(steps)
        while True:
            if command is None:
                command = steps.send(None)
                continue
            print(bytes(command).hex())
            command = steps.send(memoryview(bytes.fromhex(sys.stdin.readline().strip())))
    except StopIteration as end:
        print("kind", end.value.kind)


def tap(keys: Keys, replies: list, whole: bool, arena: Arena) -> int:
    """Replay one tap. Returns the number of bytes on the bus. Raises ValueError if the card is not approved."""
    bus = Bus(replies)
    reader = PN532(SpiLink(bus, bus), bus)
    reader._line = bus
    steps = transaction.read(_terms(keys), arena)
    try:
        command = next(steps)
        while command is not None or whole:
            if command is None:
                command = steps.send(None)
                continue
            size = 0
            try:
                reader.exchange(command, arena.answer).send(None)
            except StopIteration as end:
                size = end.value
            command = steps.send(arena.answer[:size])
        steps.close()
    except StopIteration as end:
        if end.value.kind != 2:
            raise ValueError("not approved")  # noqa: B904  MicroPython has no exception chaining
    return bus.count


def _ballast(free: int) -> list:
    """Fill the heap except for one hole of `free` bytes."""
    hole = bytearray(free)
    held = [None] * 8000
    at = 0
    for size in (65536, 4096, 256, 16):
        gc.collect()
        try:
            while True:
                held[at] = bytearray(size)
                at += 1
        except (MemoryError, IndexError):
            pass
    del hole
    gc.collect()
    return held


def heap(keys: Keys, replies: list) -> int:
    """The least heap in bytes that must be free before a tap, with all modules loaded."""
    arena = Arena()
    free = 2048
    while True:
        ballast = _ballast(free)
        try:
            tap(keys, replies, True, arena)
            return free
        except MemoryError:
            pass
        del ballast
        free += _STEP


def main(work: str, *rest: str) -> None:
    with open(rest[-1]) as file:
        recording = json.load(file)
    keys, replies = Keys(*recording["key"]), [bytes.fromhex(reply) for reply in recording["replies"]]
    if work == "dialogue":
        dialogue(keys)
    elif work == "heap":
        print(json.dumps({"bytes": heap(keys, replies)}))
    elif work == "bus":
        print(json.dumps({"bytes": tap(keys, replies, True, Arena())}))
    else:
        arena = Arena()
        gc.collect()
        for _ in range(int(rest[0])):
            tap(keys, replies, work == "whole", arena)


main(*sys.argv[1:])
