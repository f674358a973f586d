# SPDX-License-Identifier: MIT
"""A virtual Visa card for contactless qVSDC: returns a valid cryptogram in one exchange."""

from __future__ import annotations

from tools.cards.card import tlv
from tools.cards.payment import AAC, ARQC, TC, PaymentCard, Profile

CVR_KIND = {AAC: 0x80, TC: 0x90, ARQC: 0xA0}  # CVR byte 2: second cryptogram not requested, first one AAC, TC or ARQC


class VisaCard(PaymentCard):
    """A good Visa card."""

    # TTQ, amounts, country, TVR, currency, date, type, unpredictable number
    pdol = (
        ("9F66", 4),
        ("9F02", 6),
        ("9F03", 6),
        ("9F1A", 2),
        ("95", 5),
        ("5F2A", 2),
        ("9A", 3),
        ("9C", 1),
        ("9F37", 4),
    )

    def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
        """The data objects of the answer, in order."""
        profile = self.profile
        self.kind = self.willing(terminal)
        answer = {
            "82": bytes.fromhex(profile.aip),
            "57": self.track2(),
            "5F34": bytes.fromhex(profile.sequence),
            "9F10": self.issuer_data(),
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

    def issuer_data(self) -> bytes:
        """Issuer application data (9F10): length, key index, cryptogram version, card verification results."""
        return bytes((0x06, 0x01, self.profile.cvn, 0x03, CVR_KIND[self.kind], 0x00, 0x00))


def pan_record(profile: Profile) -> bytes:
    """A typical record: card number (5A) and expiry date (5F24)."""
    digits = profile.pan + "F" * (len(profile.pan) % 2)
    return tlv("70", tlv("5A", bytes.fromhex(digits)), tlv("5F24", bytes.fromhex(profile.expiry + "31")))


def certificate_record() -> bytes:
    """A 254-byte record, as for a 1984-bit issuer certificate. With the status word the answer has 256 bytes."""
    return tlv("70", tlv("90", bytes(range(248))))
