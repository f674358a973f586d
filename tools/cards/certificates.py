# SPDX-License-Identifier: MIT
"""A test scheme: the CA's keys, and certificates and signatures for issuers and cards (EMV Book 2, sections 5 and 6).

The keys in test_keys.json were made by `python -m tools.cards.certificates` and are used nowhere else.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha1
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa

from tools.cards.card import tlv

INDEX = 0xE1  # of the test CA's key, under every RID
_KEYS = Path(__file__).with_name("test_keys.json")
_SIZES = {"authority": 1984, "issuer": 1408, "card": 1152, "authority 1152": 1152, "stranger": 1984}


@dataclass(frozen=True)
class PrivateKey:
    """An RSA private key as integers."""

    modulus: int
    exponent: int
    private: int

    @property
    def size(self) -> int:
        """Length of the modulus in bytes."""
        return (self.modulus.bit_length() + 7) // 8

    @property
    def public(self) -> bytes:
        """The modulus as bytes."""
        return self.modulus.to_bytes(self.size, "big")

    @property
    def exponent_bytes(self) -> bytes:
        return b"\x03" if self.exponent == 3 else b"\x01\x00\x01"

    def sign(self, plain: bytes) -> bytes:
        """Sign with RSA message recovery. Raises ValueError unless `plain` has `size` bytes."""
        if len(plain) != self.size:
            raise ValueError("the data to sign must be as long as the modulus")
        return pow(int.from_bytes(plain, "big"), self.private, self.modulus).to_bytes(self.size, "big")


@cache
def key(role: str, exponent: int = 3) -> PrivateKey:
    """A test key: role "authority", "issuer", "card", "authority 1152" or "stranger"; exponent 3 or 65537."""
    modulus, private = json.loads(_KEYS.read_text())[f"{role} {exponent}"]
    return PrivateKey(int(modulus, 16), exponent, int(private, 16))


def checksum(rid: bytes, index: int, public: PrivateKey) -> bytes:
    """SHA-1 over RID, index, modulus and exponent, as published by a scheme with its CA key."""
    return sha1(rid + bytes((index,)) + public.public + public.exponent_bytes).digest()


def issuer_certificate(
    authority: PrivateKey, issuer: PrivateKey, pan: str, expiry: str = "1249", digits: int = 6
) -> dict[str, bytes]:
    """Tags 90, 92 and 9F32. `expiry`: MMYY. `digits`: how many digits of the card number identify the issuer."""
    identifier = bytes.fromhex(pan[:digits].ljust(8, "F"))
    head = b"\x02" + identifier + bytes.fromhex(expiry) + b"\x00\x00\x01\x01\x01"
    return _certificate(authority, issuer, head, ("90", "92", "9F32"), b"")


def card_certificate(
    issuer: PrivateKey, card: PrivateKey, pan: str, static: bytes, expiry: str = "1249"
) -> dict[str, bytes]:
    """Tags 9F46, 9F48 and 9F47. `static`: the static data to be authenticated."""
    number = bytes.fromhex(pan.ljust(20, "F"))
    head = b"\x04" + number + bytes.fromhex(expiry) + b"\x00\x00\x02\x01\x01"
    return _certificate(issuer, card, head, ("9F46", "9F48", "9F47"), static)


def _certificate(
    signer: PrivateKey, subject: PrivateKey, head: bytes, tags: tuple[str, str, str], static: bytes
) -> dict[str, bytes]:
    head += bytes((subject.size, len(subject.exponent_bytes)))
    room = signer.size - 2 - len(head) - 20
    modulus, remainder = subject.public[:room].ljust(room, b"\xbb"), subject.public[room:]
    digest = sha1(head + modulus + remainder + subject.exponent_bytes + static).digest()
    made = {tags[0]: signer.sign(b"\x6a" + head + modulus + digest + b"\xbc"), tags[2]: subject.exponent_bytes}
    if remainder:
        made[tags[1]] = remainder
    return made


def records(keys: Sequence[PrivateKey], pan: str, static: bytes, aip: bytes) -> tuple[bytes, ...]:
    """Three records of a card with offline data authentication: signed data, issuer certificate, the rest.

    `keys`: authority, issuer, card. `static`: content of the first record. `aip`: b"" if it is not signed.
    """
    authority, issuer, card = keys
    of_issuer = {"8F": bytes((INDEX,))} | issuer_certificate(authority, issuer, pan)
    of_card = card_certificate(issuer, card, pan, static + aip)
    big = of_issuer.pop("90")
    rest = (tlv(tag, value) for tag, value in (of_issuer | of_card).items())
    return tlv("70", static), tlv("70", tlv("90", big)), tlv("70", *rest)


def static_signature(issuer: PrivateKey, static: bytes) -> bytes:
    """Tag 93: the SDA signature."""
    return _signed(issuer, b"\x03\x01\xda\xc0", static)


def dynamic_signature(card: PrivateKey, dynamic: bytes, over: bytes, form: int = 5) -> bytes:
    """Tag 9F4B: DDA, fDDA or CDA. `dynamic`: the ICC dynamic data. `over`: further data that the hash covers."""
    return _signed(card, bytes((form, 1, len(dynamic))) + dynamic, over)


def _signed(signer: PrivateKey, head: bytes, over: bytes) -> bytes:
    head = head.ljust(signer.size - 22, b"\xbb")
    return signer.sign(b"\x6a" + head + sha1(head + over).digest() + b"\xbc")


def main() -> None:
    """Generate new test keys."""
    made = {}
    for role, bits in _SIZES.items():
        for exponent in (3, 65537):
            numbers = rsa.generate_private_key(exponent, bits).private_numbers()
            made[f"{role} {exponent}"] = [f"{numbers.public_numbers.n:x}", f"{numbers.d:x}"]
    _KEYS.write_text(json.dumps(made, indent=1) + "\n")


if __name__ == "__main__":
    main()
