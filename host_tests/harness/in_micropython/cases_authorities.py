# SPDX-License-Identifier: MIT
"""Cases for the store of scheme keys, and for the rule on when a card may approve offline."""

from kassa.card.risk import Risk, draw
from kassa.vault.card_tables import aids, blocked_bins
from kassa.vault.card_tables.ca_public_keys import Authorities


class Blocks:
    """A read-only partition over `data`."""

    def __init__(self, data):
        self._data = data

    def readblocks(self, block, into, offset=0):
        assert offset % 16 == len(into) % 16 == 0, "not aligned"
        into[:] = self._data[block * 4096 + offset : block * 4096 + offset + len(into)]

    def ioctl(self, operation, argument):
        return len(self._data) // 4096


def find(data, key, rid, index, date):
    """Look up a scheme key: [modulus, exponent] or None."""
    store = Authorities(Blocks(bytes.fromhex(data)), bytearray(bytes.fromhex(key)))
    found = store.find(bytes.fromhex(rid), index, bytes.fromhex(date))
    return None if found is None else [bytes(found[0]).hex(), found[1]]


def revoked(data, key, rid, index, serial):
    store = Authorities(Blocks(bytes.fromhex(data)), bytearray(bytes.fromhex(key)))
    return store.revoked(bytes.fromhex(rid), index, bytes.fromhex(serial))


def excepted(data, key, pan):
    return blocked_bins.is_listed(
        Authorities(Blocks(bytes.fromhex(data)), bytearray(bytes.fromhex(key))), bytes.fromhex(pan)
    )


def applications(data, key):
    """The rows of the AID table, in hex."""
    return aids.rows(Authorities(Blocks(bytes.fromhex(data)), bytearray(bytes.fromhex(key)))).hex()


class _Counting:
    """Entropy that returns 0, 1, 2 ..."""

    def __init__(self):
        self._next = 0

    def __call__(self, size):
        self._next += 1
        return bytes(((self._next - 1) % 256,))


def risks(setting, amounts, trusted, draws):
    """For each amount, out of `draws` payments: how many a card may approve offline, and the TVR byte 4 of the others.

    The random numbers are 0, 1, 2 ...
    """
    risk = Risk(bytes.fromhex(setting))
    counts = []
    for amount in amounts:
        entropy = _Counting()
        found = [risk.reason(amount, trusted, draw(entropy)) for _ in range(draws)]
        counts.append([found.count(0), max(found)])
    return counts
