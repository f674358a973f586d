# SPDX-License-Identifier: MIT
"""The card number, read in place from the nibbles of track 2 (tag 57: PAN, D, YYMM, service code, other data)."""

from micropython import const

from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.arena import Arena
    from kassa.card.tlv import Bytes, Tlv

_SEPARATOR = const(0xD)
_PAN_MIN = const(12)
_PAN_MAX = const(19)


def _nibble(data: "Bytes", start: int, index: int) -> int:
    byte = data[start + (index >> 1)]
    return byte & 15 if index & 1 else byte >> 4


def pan_digits(track: "Tlv") -> int:
    """Return the number of digits in the PAN.

    Raises CardError unless PAN, separator and expiry date are well formed.
    """
    nibbles = 2 * (track.end - track.start)
    for digits in range(nibbles):
        nibble = _nibble(track.data, track.start, digits)
        if nibble == _SEPARATOR:
            break
        if nibble > 9:
            raise CardError("track 2: not a card number")
    else:
        raise CardError("track 2: no separator")
    if not _PAN_MIN <= digits <= _PAN_MAX or nibbles < digits + 5:
        raise CardError("track 2: length")
    for index in range(digits + 1, digits + 5):
        if _nibble(track.data, track.start, index) > 9:
            raise CardError("track 2: not a date")
    return digits


def same_pan(track: "Tlv", digits: int, pan: "Tlv") -> bool:
    """Return whether tag 5A (compressed numeric, padded with F) holds the same card number."""
    nibbles = 2 * (pan.end - pan.start)
    if nibbles < digits:
        return False
    for index in range(nibbles):
        expected = _nibble(track.data, track.start, index) if index < digits else 0xF
        if _nibble(pan.data, pan.start, index) != expected:
            return False
    return True


def card_number(arena: "Arena") -> "tuple[Tlv, int]":
    """Return track 2 and the number of digits in its PAN.

    Raises CardError if malformed, or if tag 5A has another number.
    """
    track = arena.need(0x57)
    digits = pan_digits(track)
    pan = arena.kept(0x5A)
    if pan is not None and not same_pan(track, digits, pan):
        raise CardError("two card numbers in one card")
    return track, digits


def pad_pan(track: "Tlv", digits: int, into: bytearray) -> None:
    """Write the card number to `into`: 10 zero bytes, padded with F here. The caller zeroes them afterwards."""
    for index in range(20):
        nibble = _nibble(track.data, track.start, index) if index < digits else 0xF
        into[index >> 1] |= nibble << (0 if index & 1 else 4)


def mask(track: "Tlv", digits: int, arena: "Arena") -> None:
    """Write the first six and last four digits to the arena, BCD."""
    for index in range(3):
        arena.first6[index] = track.data[track.start + index]
    for index in range(2):
        at = digits - 4 + 2 * index
        high = _nibble(track.data, track.start, at)
        arena.last4[index] = high << 4 | _nibble(track.data, track.start, at + 1)


def expired(track: "Tlv", digits: int, date: bytes) -> bool:
    """Return whether track 2's expiry month is before `date` (BCD YYMMDD).

    Years 50 to 99 are 1950 to 1999 (EMV Book 4).
    """
    value = 0
    for index in range(digits + 1, digits + 5):
        value = value << 4 | _nibble(track.data, track.start, index)
    return _century(value) < _century(date[0] << 8 | date[1])


def before(data: "Bytes", start: int, date: "Bytes", parts: int = 2) -> bool:
    """Return whether the date at data[start:] (BCD YYMMDD) is before `date`.

    Compares months, or days if `parts` is 3.
    """
    ours, theirs = _century(data[start] << 8 | data[start + 1]), _century(date[0] << 8 | date[1])
    return ours < theirs or parts == 3 and ours == theirs and data[start + 2] < date[2]


def _century(month: int) -> int:
    """Make BCD YYMM comparable: years 00 to 49 come after 50 to 99."""
    return month if month >= 0x5000 else month + 0x10000
