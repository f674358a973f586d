# SPDX-License-Identifier: MIT
"""Entries of a terminal's cards partition: scheme keys, revocations, blocked cards, applications. See docs/keys.md."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha1

from tools.host.keys import mac

SCHEMES = {
    "Visa": bytes.fromhex("A000000003"),
    "Mastercard": bytes.fromhex("A000000004"),
    "American Express": bytes.fromhex("A000000025"),
    "UnionPay": bytes.fromhex("A000000333"),
}
_MOST = 0x4000 - 32  # half of the partition


@dataclass(frozen=True)
class Authority:
    """A scheme's public key. `until`: YYMM. `checksum`: as published by the scheme; empty = computed here."""

    rid: bytes
    index: int
    modulus: bytes
    exponent: int
    until: str = "4912"
    checksum: bytes = b""

    def pack(self, key: bytes) -> bytes:
        """The entry's bytes. Raises ValueError for an invalid scheme key."""
        sound = len(self.rid) == 5 and 64 <= len(self.modulus) <= 248 and self.exponent in (3, 65537)
        if not sound or len(self.checksum) not in (0, 20) or len(self.until) != 4:
            raise ValueError(f"key {self.index:02X} of {self.rid.hex()}")
        short = self.exponent.to_bytes(3, "big").lstrip(b"\x00")
        name = self.rid + bytes((self.index,))
        checksum = self.checksum or sha1(name + self.modulus + short).digest()
        head = b"\x01" + name + bytes.fromhex(self.until) + self.exponent.to_bytes(3, "big")
        return _pad(head + bytes((len(self.modulus), 0, 0, 0)) + self.modulus + checksum)


@dataclass(frozen=True)
class Revocation:
    """An issuer certificate revoked by its scheme. `serial`: 3 bytes."""

    rid: bytes
    index: int
    serial: bytes

    def pack(self, key: bytes) -> bytes:
        """The entry's bytes. Raises ValueError for an invalid RID or serial."""
        if len(self.rid) != 5 or len(self.serial) != 3:
            raise ValueError(f"revocation {self.serial.hex()} of {self.rid.hex()}")
        return _pad(b"\x02" + self.rid + bytes((self.index,)) + self.serial)


@dataclass(frozen=True)
class Excepted:
    """A card not to be accepted offline. `pan`: its number, stored only as a CMAC under the device's cards key."""

    pan: str

    def pack(self, key: bytes) -> bytes:
        return b"\x03" + mac.cmac(key, b"\x03\0\0\0\0\0" + bytes.fromhex(self.pan.ljust(20, "F")))[:15]


@dataclass(frozen=True)
class Application:
    """A row of the AID table. Amounts in minor units.

    0 means: no offline approval (`floor`), no upper limit (`limit`), no cardholder verification (`cvm`).
    """

    aid: bytes
    kernel: int
    limit: int = 0  # from this amount on the application is not accepted
    floor: int = 0
    cvm: int = 0  # from this amount on the cardholder must be verified
    threshold: int = 0
    target: int = 0  # percentage sent to the host at random, below the threshold
    most: int = 0  # the same percentage at the floor limit
    denial: bytes = bytes(5)  # terminal action codes of kernels 2 and 4; both zero = the compiled-in ones
    online: bytes = bytes(5)

    def pack(self, key: bytes) -> bytes:
        """The row's bytes. Raises ValueError for an AID, kernel or action code that a terminal would refuse."""
        if not 5 <= len(self.aid) <= 16 or self.kernel not in (2, 3, 4, 7) or len(self.denial + self.online) != 10:
            raise ValueError(f"application {self.aid.hex()}")
        head = bytes((6, self.kernel, len(self.aid), 0)) + self.aid.ljust(16, b"\0")
        amounts = (self.limit, self.floor, self.cvm, self.threshold)
        limits = b"".join(amount.to_bytes(6, "big") for amount in amounts) + bytes((self.target, self.most))
        return (head + limits + self.denial + self.online).ljust(64, b"\0")


Entry = Authority | Revocation | Excepted | Application


def _pad(entry: bytes) -> bytes:
    return entry + bytes(-len(entry) % 16)


def blob(key: bytes, entries: Iterable[Entry], generation: int = 1) -> bytes:
    """The content of the partition. `key`: the device's cards key. Raises ValueError if it does not fit."""
    body = b"".join(entry.pack(key) for entry in entries)
    body += bytes(16)  # end marker
    if len(body) > _MOST:
        raise ValueError("too many entries for the cards partition")
    whole = b"KC\x01\x00" + generation.to_bytes(4, "big") + len(body).to_bytes(2, "big") + bytes(6) + body
    return whole + mac.cmac(key, whole)
