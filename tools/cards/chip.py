# SPDX-License-Identifier: MIT
"""Cards that answer GENERATE AC with a cryptogram, with CDA: M/Chip and American Express test profiles."""

from __future__ import annotations

import secrets
from hashlib import sha1

from tools.cards import certificates
from tools.cards.card import SW_CONDITIONS, SW_OK, SW_WRONG_LENGTH, tlv
from tools.cards.payment import AAC, ARQC, TC, Dol, PaymentCard, Profile, packed, split
from tools.cards.visa import CVR_KIND

_WITH_CDA = 0x10


class ChipCard(PaymentCard):
    """Approves offline up to `limit` minor units if the reader requests a TC. `exponent`: of all keys of the chain.

    Every step that a fraudulent card changes is a separate method.
    """

    pdol: Dol = (("9F1A", 2), ("9F35", 1))
    cdol: Dol = (
        ("9F02", 6), ("9F03", 6), ("9F1A", 2), ("95", 5), ("5F2A", 2), ("9A", 3), ("9C", 1), ("9F37", 4), ("9F35", 1),
        ("9F45", 2), ("9F4C", 8), ("9F34", 3),
    )  # fmt: skip
    application_version = b"\x00\x02"
    cvm_list = "0000000000000000" + "42031E031F03"  # online PIN, signature, none: each if supported
    aip = "1980"  # CDA, terminal risk management, cardholder verification; EMV mode

    def __init__(self, profile: Profile, atc: int = 0, exponent: int = 3, limit: int = 100_000) -> None:
        super().__init__(profile, atc)
        profile.aip = self.aip
        self.limit = limit
        self.keys = [certificates.key(role, exponent) for role in ("authority", "issuer", "card")]
        self._pdol_data: dict[str, bytes] = {}
        self._dol_values = b""
        profile.records = self.personalised()

    def static(self) -> bytes:
        """The content of record 1, which is covered by the card certificate."""
        profile = self.profile
        digits = profile.pan + "F" * (len(profile.pan) % 2)
        objects = {
            "57": self.track2(),
            "5A": bytes.fromhex(digits),
            "5F24": bytes.fromhex(profile.expiry + "31"),
            "5F25": bytes.fromhex("200101"),
            "5F28": bytes.fromhex("0156"),
            "5F34": bytes.fromhex(profile.sequence),
            "8C": packed(self.cdol),
            "8E": bytes.fromhex(self.cvm_list),
            "9F07": bytes.fromhex("FF00"),
            "9F08": self.application_version,
            "9F0D": bytes(5),
            "9F0E": bytes(5),
            "9F0F": bytes(5),
            "9F42": bytes.fromhex("0156"),
            "9F4A": b"\x82",
        }
        return b"".join(tlv(tag, value) for tag, value in objects.items())

    def personalised(self) -> tuple[bytes, ...]:
        """Records 1 to 3."""
        return certificates.records(self.keys, self.profile.pan, self.static(), bytes.fromhex(self.profile.aip))

    def reset(self) -> None:
        super().reset()
        self._dol_values = b""

    def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
        self._pdol_data = terminal
        self._dol_values = b"".join(terminal.values())
        return {"82": bytes.fromhex(self.profile.aip), "94": bytes((2 << 3, 1, len(self.profile.records), 1))}

    def willing(self, terminal: dict[str, bytes]) -> int:
        return ARQC if int(terminal["9F02"].hex()) > self.limit else TC

    def generate_ac(self, control: int, data: bytes) -> bytes:
        """The requested cryptogram or a lesser one; with CDA, the signature also covers PDOL and CDOL values."""
        if not self._dol_values:
            return SW_CONDITIONS
        if len(data) != sum(size for _, size in self.cdol):
            return SW_WRONG_LENGTH
        terminal = {**self._pdol_data, **split(self.cdol, data)}
        asked = control & 0xC0
        self.kind = AAC if AAC in (asked, self.kind) else self.willing(terminal) if asked == TC else ARQC
        dol_values = self._dol_values + data
        self._dol_values = b""
        return (
            tlv("77", *(tlv(tag, value) for tag, value in self.answer(terminal, control, dol_values).items())) + SW_OK
        )

    def answer(self, terminal: dict[str, bytes], control: int, dol_values: bytes) -> dict[str, bytes]:
        """The data objects of the answer to GENERATE AC. `dol_values`: the values of PDOL and CDOL."""
        objects = {
            "9F27": bytes((self.kind,)),
            "9F36": self.atc.to_bytes(2, "big"),
            "9F10": self.issuer_data(),
        }
        card = {"82": bytes.fromhex(self.profile.aip), "5F34": bytes.fromhex(self.profile.sequence)}
        made = self.cryptogram({**terminal, **card, **objects})
        if control & _WITH_CDA and self.kind != AAC:
            objects["9F4B"] = self.signature(terminal, made, dol_values, objects)
        else:
            objects["9F26"] = made
        return objects

    def signature(
        self, terminal: dict[str, bytes], cryptogram: bytes, dol_values: bytes, objects: dict[str, bytes], form: int = 5
    ) -> bytes:
        """The CDA signature over `objects`, the rest of the answer. `dol_values`: the values of PDOL and CDOL."""
        digest = sha1(dol_values + b"".join(tlv(tag, value) for tag, value in objects.items())).digest()
        dynamic = b"\x08" + secrets.token_bytes(8) + objects["9F27"] + cryptogram + digest
        return certificates.dynamic_signature(self.keys[2], dynamic, terminal["9F37"], form)

    def issuer_data(self) -> bytes:
        """9F10, M/Chip: key index, cryptogram version, card verification results, DAC, counters."""
        head = bytes((0x01, self.profile.cvn, CVR_KIND[self.kind]))
        return head + bytes(5) + b"\xda\xc0" + bytes.fromhex("00000000000000FF")


class AmexCard(ChipCard):
    """American Express: other PDOL, CDOL and issuer application data; no EMV mode bit."""

    pdol: Dol = (("9F35", 1), ("9F6E", 4))
    cdol: Dol = (
        ("9F02", 6), ("9F03", 6), ("9F1A", 2), ("95", 5), ("5F2A", 2), ("9A", 3), ("9C", 1), ("9F37", 4),
    )  # fmt: skip
    application_version = b"\x00\x01"
    aip = "1900"

    def issuer_data(self) -> bytes:
        return bytes((0x06, 0x01, 0x01, 0x03, CVR_KIND[self.kind], 0x00, 0x00))
