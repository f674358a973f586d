# SPDX-License-Identifier: MIT
"""A virtual Visa card for contactless qVSDC: directory, application, and a true cryptogram in one exchange."""

from __future__ import annotations

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
_CVR_KIND = {AAC: 0x80, TC: 0x90, ARQC: 0xA0}  # CVR byte 2: the second cryptogram was not asked for; the first was ...

# What a qVSDC card asks for (9F38): TTQ, amounts, country, TVR, currency, date, type, unpredictable number.
PDOL = (("9F66", 4), ("9F02", 6), ("9F03", 6), ("9F1A", 2), ("95", 5), ("5F2A", 2), ("9A", 3), ("9C", 1), ("9F37", 4))


@dataclass
class Profile:
    """What is printed on, and personalised into, one card."""

    pan: str
    expiry: str = "3112"  # YYMM
    sequence: str = "01"
    cvn: int = 10
    aid: str = VISA_CREDIT
    label: str = "VISA CREDIT"
    kernel: str = ""  # 9F2A, hex
    ctq: str = "0000"  # 9F6C; empty = not sent
    aip: str = "0000"
    records: tuple[bytes, ...] = ()  # of SFI 2, from number 1
    says_kind: bool = True  # 9F27 present


class VisaCard(Card):
    """Answers a transaction as a card in order does. `kind` is the cryptogram it is willing to give, `atc` counts."""

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
        return SW_UNKNOWN_INS if head[0] in (0x00, 0x80) else SW_UNKNOWN_CLA

    def select(self, name: bytes) -> bytes:
        """SELECT by name: the directory, or the application."""
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
        pdol = b"".join(bytes.fromhex(tag) + bytes((size,)) for tag, size in PDOL)
        name = tlv("84", bytes.fromhex(self.profile.aid))
        return tlv("6F", name, tlv("A5", tlv("50", self.profile.label.encode()), tlv("9F38", pdol)))

    def get_processing_options(self, data: bytes) -> bytes:
        """Count a transaction and give the cryptogram."""
        size = sum(length for _, length in PDOL)
        if not self._selected:
            return SW_CONDITIONS
        if data[:2] != bytes((0x83, size)) or len(data) != 2 + size:
            return SW_WRONG_LENGTH
        self.atc += 1
        return tlv("77", *(tlv(tag, value) for tag, value in self.options(_split(data[2:])).items())) + SW_OK

    def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
        """The data objects of the answer, in order."""
        profile = self.profile
        self.kind = self.willing(terminal)
        answer = {
            "82": bytes.fromhex(profile.aip),
            "57": self.track2(),
            "5F34": bytes.fromhex(profile.sequence),
            "9F10": bytes((0x06, 0x01, profile.cvn, 0x03, _CVR_KIND[self.kind], 0x00, 0x00)),
            "9F36": self.atc.to_bytes(2, "big"),
        }
        answer["9F26"] = self.cryptogram({**terminal, **answer})
        if profile.says_kind:
            answer["9F27"] = bytes((self.kind,))
        if profile.ctq:
            answer["9F6C"] = bytes.fromhex(profile.ctq)
        if profile.records:
            answer["94"] = bytes((2 << 3, 1, len(profile.records), 0))
        return answer

    def willing(self, terminal: dict[str, bytes]) -> int:
        """The kind of cryptogram this payment gets."""
        return self.kind

    def cryptogram(self, tags: dict[str, bytes]) -> bytes:
        """9F26 under the key this card got from its issuer."""
        key = key_for(self.profile.pan)
        if key is None:
            raise ValueError("no issuer for this card number")
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


def _split(values: bytes) -> dict[str, bytes]:
    """The terminal's values by tag, as the PDOL lists them."""
    tags, at = {}, 0
    for tag, size in PDOL:
        tags[tag] = values[at : at + size]
        at += size
    return tags


def pan_record(profile: Profile) -> bytes:
    """A record as most cards have one: card number (5A) and expiry date (5F24)."""
    digits = profile.pan + "F" * (len(profile.pan) % 2)
    return tlv("70", tlv("5A", bytes.fromhex(digits)), tlv("5F24", bytes.fromhex(profile.expiry + "31")))


def certificate_record() -> bytes:
    """A record of 254 bytes, as a 1984-bit issuer certificate makes: with its status word a 256-byte answer."""
    return tlv("70", tlv("90", bytes(range(248))))
