# SPDX-License-Identifier: MIT
"""Reads a Lightning invoice (BOLT 11): network, amount, payment hash, when it ends. The signature is not checked.

The invoice comes from the merchant's own server over TLS, and is only compared with what was asked for. The library
`bolt11` would bring a compiled curve for the signature alone, and 2.1.1 does not load with bitstring 5.
"""

import re
from dataclasses import dataclass

from tools.host.errors import ProviderFault

NETWORKS = ("bc", "tb", "tbs", "bcrt")  # BOLT 11: mainnet, testnet, signet, regtest
LONGEST = 2048  # characters that are read at all
_LETTERS = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"  # BIP 173
_HEAD = re.compile(r"ln(bcrt|tbs|tb|bc)(?:([1-9][0-9]{0,17})([munp]?))?")
_TENTHS = {"": 10**12, "m": 10**9, "u": 10**6, "n": 10**3, "p": 1}  # of a millisatoshi, for one of each
_TIME, _SIGNATURE, _CHECK = 7, 104, 6  # words of 5 bits
_HASH, _EXPIRY = 1, 6  # tags `p` and `x`
_DEFAULT_EXPIRY = 3600  # seconds


@dataclass(frozen=True, slots=True)
class Invoice:
    """`amount`: millisatoshi; 0: any. `payment_hash`: 64 hex digits. `made`: seconds since 1970. `expiry`: seconds."""

    network: str
    amount: int
    payment_hash: str
    made: int
    expiry: int

    @property
    def ends(self) -> int:
        """Seconds since 1970: nobody can pay it after that, by its node's clock."""
        return self.made + self.expiry


def read(text: str) -> Invoice:
    """Read an invoice. Raises ProviderFault if it is none."""
    if len(text) > LONGEST or not text.isascii() or text.lower() != text and text.upper() != text:
        raise ProviderFault("that is no Lightning invoice")
    head, mark, data = text.lower().rpartition("1")
    words = [_LETTERS.find(letter) for letter in data]
    found = _HEAD.fullmatch(head)
    if not mark or not found or -1 in words or len(words) < _TIME + _SIGNATURE + _CHECK or not _sums(head, words):
        raise ProviderFault("that is no Lightning invoice")
    network, count, unit = found.groups()
    tenths = int(count or 0) * _TENTHS[unit or ""]
    if tenths % 10:
        raise ProviderFault("an invoice over a part of a millisatoshi")
    tags = _tags(words[_TIME : -_SIGNATURE - _CHECK])
    if len(tags.get(_HASH, ())) != 52:
        raise ProviderFault("an invoice without a payment hash")
    hashed = _number(tags[_HASH]) >> 4  # 260 bits hold 256
    expiry = _number(tags[_EXPIRY]) if _EXPIRY in tags else _DEFAULT_EXPIRY
    return Invoice(network, tenths // 10, f"{hashed:064x}", _number(words[:_TIME]), expiry)


def checksum(head: str, words: list[int]) -> int:
    """The 30 bits of BIP 173's checksum over the head and the words that follow it; 1 if they end with theirs."""
    value = 1
    for word in [ord(letter) >> 5 for letter in head] + [0] + [ord(letter) & 31 for letter in head] + words:
        top = value >> 25
        value = (value & 0x1FFFFFF) << 5 ^ word
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            value ^= generator if top >> bit & 1 else 0
    return value


def _sums(head: str, words: list[int]) -> bool:
    return checksum(head, words) == 1


def _tags(words: list[int]) -> dict[int, list[int]]:
    """The tagged fields by type; the first of each type counts."""
    tags: dict[int, list[int]] = {}
    at = 0
    while at + 3 <= len(words):
        size = words[at + 1] << 5 | words[at + 2]
        if at + 3 + size > len(words):
            raise ProviderFault("an invoice that ends too soon")
        tags.setdefault(words[at], words[at + 3 : at + 3 + size])
        at += 3 + size
    return tags


def _number(words: list[int]) -> int:
    value = 0
    for word in words[:64]:
        value = value << 5 | word
    return value
