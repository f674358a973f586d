# SPDX-License-Identifier: MIT
"""Offline data authentication (EMV Book 2, 5 and 6; fDDA: Book C-3, annex C): is the card genuine?

The CA key recovers the issuer's key from its certificate, the issuer's key recovers the card's key, and the card's key
verifies the signature over this transaction. Every function raises CardError if any check fails.
"""

from hashlib import sha1

from micropython import const

from kassa.crypto.cmac import equal
from kassa.crypto.wipe import zero_bytes
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.evidence import Evidence
    from kassa.card.tlv import Bytes

_HEADER = const(0x6A)
_TRAILER = const(0xBC)
_PAD = const(0xBB)
_ISSUER = const(0x02)
_STATIC = const(0x03)
_CARD = const(0x04)
SIGNED = const(0x05)  # format of a signature over a transaction
SIGNED_ONLINE = const(0x95)  # the same from a Visa card for an online transaction: no proof offline
_CERTIFICATES = (0x90, 0x9F46)
_HASH = const(20)
# bytes before the modulus
_ISSUER_HEAD = const(15)
_CARD_HEAD = const(21)
# bytes of a signature that are not dynamic data: header, format, algorithm, length, hash, trailer
_DYNAMIC_HEAD = const(25)
_MOST_BYTES = const(248)
_LEAST_BYTES = const(64)


class Key:
    """A public key. `modulus`: bytes as in a certificate, stored as a number with its `size`. `exponent`: 3, 65537."""

    def __init__(self, modulus: "Bytes", exponent: int) -> None:
        self.size = len(modulus)
        self.modulus = int.from_bytes(modulus, "big")
        self.exponent = exponent


def recover(key: Key, evidence: "Evidence", tag: int) -> memoryview:
    """Recover the signed data from the certificate or signature stored under `tag`.

    A certificate is dropped afterwards, to save memory. Raises CardError if the object is missing, or if its header,
    trailer or length is wrong.
    """
    size = key.size
    if len(evidence.need(tag)) != size or not _LEAST_BYTES <= size <= _MOST_BYTES:
        raise CardError("proof: length of a signature")
    number = int.from_bytes(evidence.need(tag), "big")
    if tag in _CERTIFICATES:
        evidence.drop(tag)
    if number >= key.modulus:
        raise CardError("proof: not a signature of this key")
    number = pow(number, key.exponent, key.modulus)
    plain = memoryview(number.to_bytes(size, "big"))
    if plain[0] != _HEADER or plain[size - 1] != _TRAILER:
        raise CardError("proof: not a signature of this key")
    return plain


def exponent(value: "Bytes") -> int:
    """Return a public exponent as a number. Raises CardError for any except 3 and 65537."""
    number = int.from_bytes(value, "big")
    if number != 3 and number != 65537 or len(value) > 3:
        raise CardError("proof: exponent")
    return number


def issuer_key(authority: Key, evidence: "Evidence", pan: "Bytes", date: "Bytes") -> "tuple[Key, bytes]":
    """Recover the issuer's key (Book 2, 6.3) with the CA key. Raises CardError.

    `pan`: 10 bytes BCD, padded with F. `date`: BCD YYMMDD. Also returns the 3-byte serial number of the certificate,
    for the revocation list.
    """
    plain = recover(authority, evidence, 0x90)
    if plain[1] != _ISSUER or plain[11] != 1 or plain[12] != 1:
        raise CardError("proof: issuer certificate format")
    _check_issuer(plain[2:6], pan)
    _check_expiry(plain, 6, date)
    remainder, of_exponent = evidence.find(0x92), evidence.need(0x9F32)
    _check_hash(plain, remainder, of_exponent)
    return _key(plain, _ISSUER_HEAD, plain[13], plain[14], remainder, of_exponent), bytes(plain[8:11])


def card_key(issuer: Key, evidence: "Evidence", pan: "Bytes", date: "Bytes", aip: "Bytes") -> Key:
    """Recover the card's key (Book 2, 6.4). Its certificate also signs the static data. Raises CardError."""
    plain = recover(issuer, evidence, 0x9F46)
    try:
        if plain[1] != _CARD or plain[17] != 1 or plain[18] != 1:
            raise CardError("proof: card certificate format")
        if not equal(plain[2:12], pan):
            raise CardError("proof: another card number")
        _check_expiry(plain, 12, date)
        remainder, of_exponent = evidence.find(0x9F48), evidence.need(0x9F47)
        _check_hash(plain, remainder, of_exponent, *_static_parts(evidence, aip))
        return _key(plain, _CARD_HEAD, plain[19], plain[20], remainder, of_exponent)
    finally:
        zero_bytes(plain)  # it contains the card number


def check_sda(issuer: Key, evidence: "Evidence", aip: "Bytes") -> None:
    """Verify SDA (Book 2, 5.4). A copied card passes it too, so it is never a reason to approve. Raises CardError."""
    plain = recover(issuer, evidence, 0x93)
    if plain[1] != _STATIC or plain[2] != 1:
        raise CardError("proof: static signature format")
    _check_padding(plain, 5)
    _check_hash(plain, *_static_parts(evidence, aip))


def check_fdda(
    card: Key, evidence: "Evidence", un: "Bytes", amount: "Bytes", currency: "Bytes"
) -> "tuple[int, memoryview]":
    """Verify fDDA, version 01: the signature covers 9F37, 9F02, 5F2A and 9F69. Raises CardError.

    Returns the signature's format and the card's dynamic number.
    """
    related = evidence.need(0x9F69)
    if related[0] != 1:
        raise CardError("proof: fDDA version")
    plain = recover(card, evidence, 0x9F4B)
    if plain[1] != SIGNED and plain[1] != SIGNED_ONLINE:
        raise CardError("proof: signature format")
    number = _dynamic_number(plain)
    _check_hash(plain, un, amount, currency, related)
    return plain[1], number


def check_cda(card: Key, evidence: "Evidence", un: "Bytes", cid: int, transaction_hash: "Bytes") -> memoryview:
    """Verify CDA (Book 2, 6.6.2) and return the cryptogram (8 bytes) from the signature. Raises CardError.

    `cid`: cryptogram information data (9F27) as sent in clear. `transaction_hash`: SHA-1 over the PDOL and CDOL values
    and the response without 9F4B.
    """
    plain = recover(card, evidence, 0x9F4B)
    if plain[1] != SIGNED:
        raise CardError("proof: signature format")
    number = _dynamic_number(plain, 29)
    _check_hash(plain, un)
    at = 5 + len(number)
    if plain[at] != cid or bytes(plain[at + 9 : at + 29]) != bytes(transaction_hash):
        raise CardError("proof: another transaction")
    return plain[at + 1 : at + 9]


def _dynamic_number(plain: memoryview, more: int = 0) -> memoryview:
    """Return the card's dynamic number. The dynamic data must hold at least `more` bytes after it.

    The standard's fields are the leftmost bytes of the dynamic data; others may follow (Book 2, 6.5.1 and 6.6.1).
    """
    size, count = plain[3], plain[4]
    if plain[2] != 1 or size < 1 + count + more or not 2 <= count <= 8 or size > len(plain) - _DYNAMIC_HEAD:
        raise CardError("proof: dynamic data")
    _check_padding(plain, 4 + size)
    return plain[5 : 5 + count]


def _check_padding(plain: memoryview, at: int) -> None:
    for index in range(at, len(plain) - _HASH - 1):
        if plain[index] != _PAD:
            raise CardError("proof: padding")


def _static_parts(evidence: "Evidence", aip: "Bytes") -> "list[Bytes]":
    """Return the static data to be authenticated: the records the AFL marks, then the AIP if 9F4A lists it."""
    tags = evidence.find(0x9F4A)
    if tags and bytes(tags) != b"\x82":
        raise CardError("proof: static data tag list")
    if not evidence.complete:
        raise CardError("proof: too much data")
    parts = evidence.static()
    if tags:
        parts.append(aip)
    return parts


def _check_hash(plain: memoryview, *more: "Bytes") -> None:
    end = len(plain) - _HASH - 1
    digest = sha1(plain[1:end])
    for part in more:
        digest.update(part)
    if digest.digest() != bytes(plain[end : end + _HASH]):
        raise CardError("proof: hash")


def _key(plain: memoryview, head: int, size: int, of_exponent: int, remainder: "Bytes", exponent_value: "Bytes") -> Key:
    """Return the key in a certificate. A long modulus continues in `remainder`; a short one is padded."""
    room = len(plain) - head - _HASH - 1
    if size < _LEAST_BYTES or size > len(plain) or of_exponent != len(exponent_value):
        raise CardError("proof: key length")
    if len(remainder) != max(0, size - room):
        raise CardError("proof: key remainder")
    _check_padding(plain, head + min(size, room))
    return Key(bytes(plain[head : head + min(size, room)]) + bytes(remainder), exponent(exponent_value))


def _check_issuer(identifier: memoryview, pan: "Bytes") -> None:
    """Check the issuer identifier: the first 3 to 8 digits of the card number, padded with F."""
    padded = False
    for index in range(8):
        shift = 0 if index & 1 else 4
        digit = identifier[index >> 1] >> shift & 15
        padded = padded or index >= 3 and digit == 0xF
        if digit != (0xF if padded else pan[index >> 1] >> shift & 15):
            raise CardError("proof: another issuer")


def _check_expiry(plain: memoryview, at: int, date: "Bytes") -> None:
    """Check the expiry date (MMYY) of a certificate against `date` (BCD YYMMDD). Years from 50 on are 19xx (Book 4)."""
    month, year = plain[at], plain[at + 1]
    if not 1 <= month <= 0x12 or year >= 0x50 or (year << 8 | month) < (date[0] << 8 | date[1]):
        raise CardError("proof: certificate expired")
