# SPDX-License-Identifier: MIT
"""The card number where it stands, never copied out: nibbles of track 2 (tag 57: PAN, D, YYMM, service code, rest)."""

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
    """How many digits the PAN has. Raises CardError unless PAN, separator and expiry date are well formed."""
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
    """Whether tag 5A (compressed numeric, padded with F) holds the same number."""
    nibbles = 2 * (pan.end - pan.start)
    if nibbles < digits:
        return False
    for index in range(nibbles):
        expected = _nibble(track.data, track.start, index) if index < digits else 0xF
        if _nibble(pan.data, pan.start, index) != expected:
            return False
    return True


def card_number(arena: "Arena") -> "tuple[Tlv, int]":
    """Track 2 and the digits of its number. Raises CardError unless they are well formed and tag 5A, if given, agrees."""
    track = arena.need(0x57)
    digits = pan_digits(track)
    pan = arena.kept(0x5A)
    if pan is not None and not same_pan(track, digits, pan):
        raise CardError("two card numbers in one card")
    return track, digits


def pad_pan(track: "Tlv", digits: int, into: bytearray) -> None:
    """Put the card number into 10 bytes, padded with F. The caller zeroes them."""
    for index in range(20):
        nibble = _nibble(track.data, track.start, index) if index < digits else 0xF
        into[index >> 1] |= nibble << (0 if index & 1 else 4)


def mask(track: "Tlv", digits: int, arena: "Arena") -> None:
    """Leave the first six and last four digits in the arena, BCD."""
    for index in range(3):
        arena.first6[index] = track.data[track.start + index]
    for index in range(2):
        at = digits - 4 + 2 * index
        high = _nibble(track.data, track.start, at)
        arena.last4[index] = high << 4 | _nibble(track.data, track.start, at + 1)


def expired(track: "Tlv", digits: int, date: bytes) -> bool:
    """Whether the card's last month lies before `date` (BCD YYMMDD). Years 50 to 99 are 1950 to 1999 (EMV Book 4)."""
    value = 0
    for index in range(digits + 1, digits + 5):
        value = value << 4 | _nibble(track.data, track.start, index)
    return _century(value) < _century(date[0] << 8 | date[1])


def before(data: "Bytes", start: int, date: "Bytes", parts: int = 2) -> bool:
    """Whether BCD YYMMDD at data[start:] lies before another date, by month, or by day with all 3 `parts`."""
    ours, theirs = _century(data[start] << 8 | data[start + 1]), _century(date[0] << 8 | date[1])
    return ours < theirs or parts == 3 and ours == theirs and data[start + 2] < date[2]


def _century(month: int) -> int:
    """BCD YYMM with the century in front: 00 to 49 come after 50 to 99."""
    return month if month >= 0x5000 else month + 0x10000
