# SPDX-License-Identifier: MIT
"""The base class of all virtual cards: what a reader sees on activation, and how APDUs are answered."""

from __future__ import annotations

SW_OK = b"\x90\x00"
SW_WRONG_LENGTH = b"\x67\x00"
SW_CONDITIONS = b"\x69\x85"  # conditions of use not satisfied: "take another application"
SW_SEE_PHONE = b"\x69\x86"
SW_NOT_FOUND = b"\x6a\x82"
SW_NO_RECORD = b"\x6a\x83"
SW_WRONG_P1P2 = b"\x6a\x86"
SW_UNKNOWN_INS = b"\x6d\x00"
SW_UNKNOWN_CLA = b"\x6e\x00"


class CardGone(Exception):
    """The card left the field before it answered."""


def tlv(tag: str, *values: bytes) -> bytes:
    """Encode one BER-TLV object: `tag` in hex; the value is `values` concatenated."""
    value = b"".join(values)
    size = len(value)
    if size < 0x80:
        length = bytes((size,))
    elif size < 0x100:
        length = bytes((0x81, size))
    else:
        length = b"\x82" + size.to_bytes(2, "big")
    return bytes.fromhex(tag) + length + value


class Card:
    """A contactless card (ISO/IEC 14443 type A, layer 4) without applications; subclasses answer APDUs.

    The reader calls `reset()` on activation and `transmit()` for every command APDU.
    """

    technology = "A"  # "A" or "B"
    sens_res = b"\x00\x04"  # type A: ATQA, most significant byte first as a PN532 reports it
    sel_res = 0x20  # type A: SAK; bit 20h = supports ISO/IEC 14443-4
    uid = b"\x08\x4b\x61\x73"  # 08h first: a random identifier, usual for payment cards
    ats = bytes.fromhex("0578807002")  # including length byte TL; FSCI 8: frames of 256 bytes, FWI 7
    atqb = bytes.fromhex("50 4b617373 00000000 008171")  # type B: identifier, application data, protocol info
    wtx = 0  # waiting time extensions requested before each answer
    delay_ms = 0  # delay before each answer

    def reset(self) -> None:
        """The reader activated the card: clear volatile state."""

    def transmit(self, capdu: bytes) -> bytes:
        """Answer a command APDU with data and status word. Raises CardGone if the card has left the field."""
        return SW_UNKNOWN_INS
