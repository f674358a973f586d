# SPDX-License-Identifier: MIT
"""What every virtual card has in common: how it is seen by a reader, and how it answers an APDU."""

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
    """The card left the field before it had answered."""


def tlv(tag: str, *values: bytes) -> bytes:
    """One BER-TLV object: `tag` in hex, its value the concatenation of `values`."""
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
    """A contactless card (ISO/IEC 14443 type A, layer 4) that knows no application: subclasses answer APDUs.

    A reader calls `reset()` when it activates the card and `transmit()` for every command APDU.
    """

    technology = "A"  # "A" or "B"
    sens_res = b"\x00\x04"  # type A: ATQA, most significant byte first as a PN532 reports it
    sel_res = 0x20  # type A: SAK; bit 20h says "speaks ISO/IEC 14443-4"
    uid = b"\x08\x4b\x61\x73"  # 08h first: a random identifier, as payment cards use
    ats = bytes.fromhex("0578807002")  # with its length byte TL; FSCI 8: frames of 256 bytes, FWI 7
    atqb = bytes.fromhex("50 4b617373 00000000 008171")  # type B: identifier, application data, protocol info
    wtx = 0  # waiting-time extensions asked for before each answer
    delay_ms = 0  # thinking time before each answer

    def reset(self) -> None:
        """The card was (re)activated: forget everything volatile."""

    def transmit(self, capdu: bytes) -> bytes:
        """Answer a command APDU with a response APDU (data, status word). Raises CardGone when it left the field."""
        return SW_UNKNOWN_INS
