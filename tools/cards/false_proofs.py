# SPDX-License-Identifier: MIT
"""Cards that claim a proof they do not have. Each is a card that proves itself with one thing wrong; online nobody notices."""

from __future__ import annotations

from tools.cards import certificates
from tools.cards.chip import ChipCard
from tools.cards.payment import Profile
from tools.cards.proven import ProvenVisa


class WrongSignature(ProvenVisa):
    """The last bit of its signature is another."""

    def signature(self, terminal: dict[str, bytes], form: int = 5) -> bytes:
        good = super().signature(terminal, form)
        return good[:-1] + bytes((good[-1] ^ 1,))


class Copied(ProvenVisa):
    """All the data of another card, but not its key: a copy signs with a key of its own."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self.keys[2] = certificates.key("authority 1152")


class OtherAmount(ProvenVisa):
    """Signs another amount than it was asked for."""

    def signature(self, terminal: dict[str, bytes], form: int = 5) -> bytes:
        return super().signature({**terminal, "9F02": bytes(5) + b"\x01"}, form)


class SwappedQualifiers(ProvenVisa):
    """Claims in clear that its holder was verified on his own device; what is signed says otherwise."""

    def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
        return {**super().options(terminal), "9F6C": b"\x00\x80"}


class OtherData(ChipCard):
    """M/Chip: changes the answer after it was signed."""

    def answer(self, terminal: dict[str, bytes], control: int, said: bytes) -> dict[str, bytes]:
        good = super().answer(terminal, control, said)
        return {**good, "9F36": b"\x7f\xff"} if "9F4B" in good else good


class Fetching(ProvenVisa):
    """Answers as a contact card would: a word that says how much there is to fetch (61xx), or how long it is (6Cxx)."""

    def __init__(self, profile: Profile, word: bytes) -> None:
        super().__init__(profile)
        self.word = word

    def get_processing_options(self, data: bytes) -> bytes:
        return self.word
