# SPDX-License-Identifier: MIT
"""ISO 8583 as the acquirer simulator writes and reads it, from a dialect's file; a second implementation, without libraries.

Elements are texts: digits, letters, or hex where the dialect says b. Keys of dictionaries are the elements' numbers.
"""

from __future__ import annotations

import os
import re
import warnings
from typing import Any

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

Elements = dict[int, str]


class Unreadable(Exception):
    """Bytes that are no message of the dialect."""


class Wire:
    """`dialect`: the parsed file. `zone_key`: 16 bytes."""

    def __init__(self, dialect: dict[str, Any], zone_key: bytes) -> None:
        self._bcd = dialect["encoding"]["numbers"] == "bcd"
        self._binary_map = dialect["encoding"]["bitmap"] == "binary"
        self._digits = dialect["frame"]["length"] == "digits"
        self._header = bytes.fromhex(dialect["frame"]["header"])
        self._forms = {int(number): form for number, form in dialect["elements"].items()}
        self.has_mac = "mac" in dialect
        self._zone_key = zone_key

    @property
    def prefix(self) -> int:
        """Bytes of a frame's length."""
        return 4 if self._digits else 2

    def length(self, prefix: bytes) -> int:
        return int(prefix) if self._digits else int.from_bytes(prefix, "big")

    def frame(self, message: bytes) -> bytes:
        """A message with its length."""
        return (f"{len(message):04}".encode() if self._digits else len(message).to_bytes(2, "big")) + message

    def write(self, mti: str, elements: Elements, key: bytes = b"") -> bytes:
        """A message without its length. `key`: for a MAC."""
        present = set(elements)
        last = 128 if any(number > 64 for number in present) else 64
        if key:
            present.add(last)
        wide = any(number > 64 for number in present)
        bits = sum(1 << (128 - number) for number in present) | (1 << 127 if wide else 0)
        raw = bits.to_bytes(16, "big")[: 16 if wide else 8]
        body = bytes.fromhex(mti) if self._bcd else mti.encode()
        body += raw if self._binary_map else raw.hex().upper().encode()
        body += b"".join(self._element(number, elements[number]) for number in sorted(elements))
        return self._header + body + (retail_mac(key, body) if key else b"")

    def read(self, message: bytes, key: bytes = b"") -> tuple[str, Elements, bool]:
        """MTI, elements, and whether the MAC holds. Raises Unreadable."""
        try:
            at = len(self._header)
            size = 2 if self._bcd else 4
            mti = message[at : at + size].hex() if self._bcd else message[at : at + size].decode("ascii")
            at += size
            bits, at = self._bitmap(message, at)
            found: Elements = {}
            for number in bits:
                found[number], at = self._read(number, message, at)
        except (ValueError, KeyError, IndexError) as fault:
            raise Unreadable(str(fault)) from None
        if at != len(message) or not re.fullmatch("[0-9]{4}", mti):
            raise Unreadable("bytes are left over or missing")
        if not key:
            return mti, found, True
        given = found.pop(128, None) or found.pop(64, "")
        return mti, found, given.lower() == retail_mac(key, message[len(self._header) : -8]).hex()

    def new_session(self) -> tuple[bytes, str]:
        """A session key, and what the answer to the sign-on says of it, in hex."""
        key = os.urandom(16)
        check = tdes(key, bytes(8))[:4]
        return key, (tdes(self._zone_key, key) + check).hex()

    def _bitmap(self, message: bytes, at: int) -> tuple[list[int], int]:
        size = 8 if self._binary_map else 16
        maps = []
        while not maps or maps == [maps[0]] and maps[0] >> 63:
            part = message[at : at + size]
            maps.append(int.from_bytes(part, "big") if self._binary_map else int(part, 16))
            at += size
        bits = [64 * index + 64 - bit for index, one in enumerate(maps) for bit in range(63, -1, -1) if one >> bit & 1]
        return [number for number in bits if number != 1], at

    def _element(self, number: int, value: str) -> bytes:
        kind, dots, most, left = self._form(number)
        packed = self._bcd and kind in ("n", "z")
        count = len(value) // 2 if kind == "b" else len(value)
        assert count <= most and (dots or count == most), (number, value)
        if kind == "b":
            data = bytes.fromhex(value)
        elif packed:
            odd = "0" if len(value) % 2 else ""
            data = bytes.fromhex(value + odd if left or dots else odd + value)
        else:
            data = value.encode()
        return self._count(dots, count) + data

    def _count(self, dots: int, count: int) -> bytes:
        if not dots:
            return b""
        return bytes.fromhex(f"{count:0{dots + dots % 2}}") if self._bcd else f"{count:0{dots}}".encode()

    def _read(self, number: int, message: bytes, at: int) -> tuple[str, int]:
        kind, dots, count, left = self._form(number)
        if dots:
            size = (dots + 1) // 2 if self._bcd else dots
            part = message[at : at + size]
            count, at = int(part.hex() if self._bcd else part), at + size
        packed = self._bcd and kind in ("n", "z")
        size = (count + 1) // 2 if packed else count
        data = message[at : at + size]
        if len(data) != size:
            raise ValueError(f"DE {number} is cut short")
        if kind == "b":
            return data.hex(), at + size
        if packed:
            text = data.hex().upper()
            return text[:count] if left or dots else text[len(text) - count :], at + size
        return data.decode("ascii"), at + size

    def _form(self, number: int) -> tuple[str, int, int, bool]:
        kind, dots, most, left = re.fullmatch(r"([a-z]+)(\.*)([0-9]+)( left)?", self._forms[number]).groups()  # type: ignore[union-attr]
        return kind, len(dots), int(most), bool(left)


def tdes(key: bytes, data: bytes, decrypt: bool = False) -> bytes:
    """TDES in ECB mode; with a key of 8 bytes it is DES."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cipher = Cipher(TripleDES(key * 3 if len(key) == 8 else key), modes.ECB())
        return (cipher.decryptor() if decrypt else cipher.encryptor()).update(data)


def retail_mac(key: bytes, data: bytes) -> bytes:
    """ISO 9797-1, algorithm 3: DES in CBC mode under the first half, the last block once through the second half."""
    block = bytes(8)
    data += bytes(-len(data) % 8)
    for at in range(0, len(data), 8):
        block = tdes(key[:8], bytes(a ^ b for a, b in zip(block, data[at : at + 8], strict=True)))
    return tdes(key[:8], tdes(key[8:], block, decrypt=True))
