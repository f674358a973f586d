# SPDX-License-Identifier: MIT
"""Writes the schemes' keys into a terminal's cards partition. Layout: docs/keys.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha1

from tools import mac
from tools.cards import certificates
from tools.cards.certificates import INDEX

SCHEMES = {
    "Visa": bytes.fromhex("A000000003"),
    "Mastercard": bytes.fromhex("A000000004"),
    "American Express": bytes.fromhex("A000000025"),
    "UnionPay": bytes.fromhex("A000000333"),
}
_MOST = 0x4000 - 32  # half of the partition


@dataclass(frozen=True)
class Authority:
    """A scheme's public key. `until`: YYMM. `checksum`: as the scheme published it; empty = made here."""

    rid: bytes
    index: int
    modulus: bytes
    exponent: int
    until: str = "4912"
    checksum: bytes = b""

    def pack(self, key: bytes) -> bytes:
        short = self.exponent.to_bytes(3, "big").lstrip(b"\x00")
        name = self.rid + bytes((self.index,))
        checksum = self.checksum or sha1(name + self.modulus + short).digest()
        head = b"\x01" + name + bytes.fromhex(self.until) + self.exponent.to_bytes(3, "big")
        return _pad(head + bytes((len(self.modulus), 0, 0, 0)) + self.modulus + checksum)


@dataclass(frozen=True)
class Revocation:
    """An issuer certificate that its scheme revoked. `serial`: 3 bytes."""

    rid: bytes
    index: int
    serial: bytes

    def pack(self, key: bytes) -> bytes:
        return _pad(b"\x02" + self.rid + bytes((self.index,)) + self.serial)


@dataclass(frozen=True)
class Excepted:
    """A card nobody should take without the host. `pan`: its number, which stands nowhere but as a tag of the device's key."""

    pan: str

    def pack(self, key: bytes) -> bytes:
        return b"\x03" + mac.cmac(key, b"\x03\0\0\0\0\0" + bytes.fromhex(self.pan.ljust(20, "F")))[:15]


Entry = Authority | Revocation | Excepted


def _pad(entry: bytes) -> bytes:
    return entry + bytes(-len(entry) % 16)


def _test(rid: bytes) -> Authority:
    key = certificates.key("authority")
    return Authority(rid, INDEX, key.public, key.exponent)


TEST = tuple(_test(rid) for rid in SCHEMES.values())


def blob(key: bytes, entries: Iterable[Entry], generation: int = 1) -> bytes:
    """What stands in the partition. `key`: the device's cards key. Raises ValueError when it is too much."""
    body = b"".join(entry.pack(key) for entry in entries)
    body += bytes(16)  # the end
    if len(body) > _MOST:
        raise ValueError("too many keys for the cards partition")
    whole = b"KC\x01\x00" + generation.to_bytes(4, "big") + len(body).to_bytes(2, "big") + bytes(6) + body
    return whole + mac.cmac(key, whole)
