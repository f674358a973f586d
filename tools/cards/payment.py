# SPDX-License-Identifier: MIT
"""The base class of virtual payment cards: directory, application selection, records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from tools.cards import cryptogram
from tools.cards.card import (
    SW_CONDITIONS,
    SW_NO_RECORD,
    SW_NOT_FOUND,
    SW_OK,
    SW_UNKNOWN_CLA,
    SW_UNKNOWN_INS,
    SW_WRONG_LENGTH,
    SW_WRONG_P1P2,
    Card,
    tlv,
)
from tools.cards.issuer_keys import key_for

PPSE = b"2PAY.SYS.DDF01"
VISA_CREDIT = "A0000000031010"
AAC, TC, ARQC = 0x00, 0x40, 0x80
Dol = tuple[tuple[str, int], ...]  # tag in hex, length


@dataclass
class Profile:
    """The data personalised into one card."""

    pan: str
    expiry: str = "3112"  # YYMM
    sequence: str = "01"
    cvn: int = 10
    aid: str = VISA_CREDIT
    label: str = "VISA CREDIT"
    kernel: str = ""  # 9F2A, hex
    ctq: str = "0000"  # 9F6C; empty = not sent
    aip: str = "0000"
    records: tuple[bytes, ...] = ()  # of SFI 2, numbered from 1
    says_kind: bool = True  # whether 9F27 is sent


class PaymentCard(Card, ABC):
    """A card with one application. `kind`: the cryptogram it gives. `atc`: its transaction counter."""

    pdol: Dol = ()  # data objects it requests from the reader

    def __init__(self, profile: Profile, atc: int = 0) -> None:
        self.profile = profile
        self.atc = atc
        self.kind = ARQC
        self._selected = False

    def reset(self) -> None:
        self._selected = False

    def transmit(self, capdu: bytes) -> bytes:
        if len(capdu) < 5:
            return SW_WRONG_LENGTH
        head, data = capdu[:4], capdu[5 : 5 + capdu[4]]
        if head[1] == 0xB2 and head[0] == 0x00:
            return self.read_record(head[2], head[3])
        if len(capdu) not in (5 + capdu[4], 6 + capdu[4]):
            return SW_WRONG_LENGTH
        if head == b"\x00\xa4\x04\x00":
            return self.select(data)
        if head[:2] == b"\x80\xa8":
            return self.get_processing_options(data) if head[2:] == b"\x00\x00" else SW_WRONG_P1P2
        if head[:2] == b"\x80\xae":
            return self.generate_ac(head[2], data)
        return SW_UNKNOWN_INS if head[0] in (0x00, 0x80) else SW_UNKNOWN_CLA

    def select(self, name: bytes) -> bytes:
        """SELECT by name: the directory (PPSE) or the application."""
        if name == PPSE:
            return tlv("6F", tlv("84", PPSE), tlv("A5", tlv("BF0C", *self.directory()))) + SW_OK
        if name and bytes.fromhex(self.profile.aid).startswith(name):
            self._selected = True
            return self.application() + SW_OK
        return SW_NOT_FOUND

    def directory(self) -> list[bytes]:
        """The entries (61) of the PPSE."""
        profile = self.profile
        kernel = tlv("9F2A", bytes.fromhex(profile.kernel)) if profile.kernel else b""
        aid = tlv("4F", bytes.fromhex(profile.aid))
        return [tlv("61", aid, tlv("50", profile.label.encode()), tlv("87", b"\x01"), kernel)]

    def application(self) -> bytes:
        """The FCI of the selected application."""
        pdol = tlv("9F38", packed(self.pdol)) if self.pdol else b""
        name = tlv("84", bytes.fromhex(self.profile.aid))
        return tlv("6F", name, tlv("A5", tlv("50", self.profile.label.encode()), pdol))

    def get_processing_options(self, data: bytes) -> bytes:
        """GET PROCESSING OPTIONS: increment the counter and return the data objects of `options`."""
        size = sum(length for _, length in self.pdol)
        if not self._selected:
            return SW_CONDITIONS
        if data[:2] != bytes((0x83, size)) or len(data) != 2 + size:
            return SW_WRONG_LENGTH
        self.atc += 1
        return tlv("77", *(tlv(tag, value) for tag, value in self.options(split(self.pdol, data[2:])).items())) + SW_OK

    @abstractmethod
    def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
        """The data objects of the answer, in order. `terminal`: the terminal's values by tag."""

    def generate_ac(self, control: int, data: bytes) -> bytes:
        """GENERATE AC; not supported by every application."""
        return SW_UNKNOWN_INS

    def willing(self, terminal: dict[str, bytes]) -> int:
        """The kind of cryptogram for this payment: AAC, TC or ARQC."""
        return self.kind

    def cryptogram(self, tags: dict[str, bytes]) -> bytes:
        """9F26, computed with this card's issuer key. Raises ValueError if the issuer is unknown."""
        key = key_for(self.profile.pan)
        if key is None:
            raise ValueError("unknown issuer of this card number")
        return cryptogram.compute(tags, self.profile.pan, self.profile.sequence, key)

    def track2(self) -> bytes:
        """Tag 57: PAN, D, expiry, service code 201, discretionary data."""
        digits = f"{self.profile.pan}D{self.profile.expiry}2010000012345"
        return bytes.fromhex(digits + "F" * (len(digits) % 2))

    def read_record(self, number: int, reference: int) -> bytes:
        """READ RECORD of SFI 2."""
        if not self._selected:
            return SW_CONDITIONS
        if reference != 2 << 3 | 4 or not 1 <= number <= len(self.profile.records):
            return SW_NO_RECORD
        return self.profile.records[number - 1] + SW_OK


def split(dol: Dol, values: bytes) -> dict[str, bytes]:
    """Split the terminal's values, concatenated in the order of the list `dol`, by tag."""
    tags, at = {}, 0
    for tag, size in dol:
        tags[tag] = values[at : at + size]
        at += size
    return tags


def packed(dol: Dol) -> bytes:
    """A data object list as encoded on a card."""
    return b"".join(bytes.fromhex(tag) + bytes((size,)) for tag, size in dol)
