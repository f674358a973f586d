# SPDX-License-Identifier: MIT
"""Cards that fail offline data authentication. Each is a good card with one thing wrong that is not seen online."""

from __future__ import annotations

from tools.cards import certificates
from tools.cards.chip import ChipCard
from tools.cards.payment import Profile
from tools.cards.proven import ProvenVisa


class WrongSignature(ProvenVisa):
    """Its signature has one wrong bit."""

    def signature(self, terminal: dict[str, bytes], form: int = 5) -> bytes:
        good = super().signature(terminal, form)
        return good[:-1] + bytes((good[-1] ^ 1,))


class Copied(ProvenVisa):
    """A clone: has all the data of another card, but not its key, and signs with its own."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self.keys[2] = certificates.key("authority 1152")


class OtherAmount(ProvenVisa):
    """Signs another amount than the terminal's."""

    def signature(self, terminal: dict[str, bytes], form: int = 5) -> bytes:
        return super().signature({**terminal, "9F02": bytes(5) + b"\x01"}, form)


class SwappedQualifiers(ProvenVisa):
    """Claims verification on the holder's own device in the clear qualifiers (9F6C); the signed ones differ."""

    def options(self, terminal: dict[str, bytes]) -> dict[str, bytes]:
        return {**super().options(terminal), "9F6C": b"\x00\x80"}


class OtherData(ChipCard):
    """M/Chip: changes its answer after signing it."""

    def answer(self, terminal: dict[str, bytes], control: int, dol_values: bytes) -> dict[str, bytes]:
        good = super().answer(terminal, control, dol_values)
        return {**good, "9F36": b"\x7f\xff"} if "9F4B" in good else good


class Fetching(ProvenVisa):
    """Answers like a contact card: there is data to fetch (61xx), or the expected length was wrong (6Cxx)."""

    def __init__(self, profile: Profile, word: bytes) -> None:
        super().__init__(profile)
        self.word = word

    def get_processing_options(self, data: bytes) -> bytes:
        return self.word
