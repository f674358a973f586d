# SPDX-License-Identifier: MIT
"""Cards with offline data authentication: fDDA version 01, under the test scheme of certificates.py."""

from __future__ import annotations

import secrets

from tools.cards import certificates
from tools.cards.card import tlv
from tools.cards.payment import ARQC, TC, Profile
from tools.cards.visa import CVR_KIND, VisaCard

_CRYPTOGRAM_FOR_HOST = 0x80  # TTQ, byte 2
_FAST_DDA = 0x80  # TTQ, byte 4


class ProvenVisa(VisaCard):
    """Approves offline up to `limit` minor units if the reader does not request an online cryptogram.

    `exponent`: of all keys of the chain. Every step that a fraudulent card changes is a separate method.
    """

    def __init__(self, profile: Profile, atc: int = 0, exponent: int = 3, limit: int = 100_000) -> None:
        super().__init__(profile, atc)
        profile.aip = "2000"
        self.limit = limit
        self.keys = [certificates.key(role, exponent) for role in ("authority", "issuer", "card")]
        self.number = secrets.token_bytes(4)
        self._terminal: dict[str, bytes] = {}
        profile.records = self.personalised()

    def static(self) -> bytes:
        """The content of record 1, which is covered by the card certificate."""
        profile = self.profile
        digits = profile.pan + "F" * (len(profile.pan) % 2)
        date = bytes.fromhex(profile.expiry + "31")
        return tlv("5A", bytes.fromhex(digits)) + tlv("5F24", date) + tlv("9F4A", b"\x82")

    def personalised(self) -> tuple[bytes, ...]:
        """Records 1 to 3. Record 4 depends on the payment."""
        return certificates.records(self.keys, self.profile.pan, self.static(), bytes.fromhex(self.profile.aip))

    def willing(self, terminal: dict[str, bytes]) -> int:
        asked = terminal["9F66"][1] & _CRYPTOGRAM_FOR_HOST
        return ARQC if asked or int(terminal["9F02"].hex()) > self.limit else TC

    def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
        answer = super().options(terminal)
        if self.kind == TC:
            answer["9F4B"] = self.signature(terminal)
            answer["94"] = bytes((2 << 3, 1, 4, 1))
        else:
            answer["94"] = bytes((2 << 3, 1, 1, 1))
        return answer

    def related(self) -> bytes:
        """9F69: version, the card's own unpredictable number, CTQ."""
        return b"\x01" + self.number + bytes.fromhex(self.profile.ctq or "0000")

    def dynamic(self) -> bytes:
        """The ICC dynamic data: the transaction counter."""
        return b"\x02" + self.atc.to_bytes(2, "big")

    def signature(self, terminal: dict[str, bytes], form: int = 5) -> bytes:
        over = terminal["9F37"] + terminal["9F02"] + terminal["5F2A"] + self.related()
        return certificates.dynamic_signature(self.keys[2], self.dynamic(), over, form)

    def read_record(self, number: int, reference: int) -> bytes:
        if number == 4 and self.kind == TC:
            return tlv("70", tlv("9F69", self.related())) + b"\x90\x00"
        return super().read_record(number, reference)


class UnionPayCard(ProvenVisa):
    """UnionPay qUICS test profile: like Visa's, but approves only if the reader supports fDDA version 01."""

    def willing(self, terminal: dict[str, bytes]) -> int:
        return super().willing(terminal) if terminal["9F66"][3] & _FAST_DDA else ARQC

    def issuer_data(self) -> bytes:
        return bytes((0x07, 0x01, 0x01, 0x03, CVR_KIND[self.kind], 0x00, 0x00, 0x01))
