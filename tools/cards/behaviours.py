# SPDX-License-Identifier: MIT
"""Cards that misbehave: torn away, noisy, slow, lying. Each is a good card with one thing wrong.

The exception is `Watched`, which only records the exchange with any card.
"""

from __future__ import annotations

import random

from tools.cards.card import SW_CONDITIONS, SW_NOT_FOUND, SW_OK, Card, CardGone, tlv
from tools.cards.payment import AAC, PPSE, TC, Profile
from tools.cards.visa import VisaCard


class Watched(Card):
    """Wraps any card and records its exchange in `commands` and `answers`."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.technology, self.sel_res = card.technology, card.sel_res
        self.wtx, self.delay_ms = card.wtx, card.delay_ms
        self.commands: list[bytes] = []
        self.answers: list[bytes] = []

    def reset(self) -> None:
        self.card.reset()

    def transmit(self, capdu: bytes) -> bytes:
        self.commands.append(capdu)
        self.answers.append(self.card.transmit(capdu))
        return self.answers[-1]


class Torn(VisaCard):
    """Leaves the field instead of answering APDU `at` (1 = first after activation), `times` times (-1 = always)."""

    def __init__(self, profile: Profile, at: int, times: int = -1) -> None:
        super().__init__(profile)
        self.at = at
        self.times = times
        self._count = 0

    def reset(self) -> None:
        super().reset()
        self._count = 0

    def transmit(self, capdu: bytes) -> bytes:
        self._count += 1
        if self._count == self.at and self.times:
            self.times -= 1
            raise CardGone
        return super().transmit(capdu)


class Slow(VisaCard):
    """Waits `delay_ms` before each answer and asks for `wtx` waiting time extensions meanwhile."""

    def __init__(self, profile: Profile, wtx: int = 5, delay_ms: int = 300) -> None:
        super().__init__(profile)
        self.wtx = wtx
        self.delay_ms = delay_ms


class WrongCryptogram(VisaCard):
    """Computes its cryptogram with the wrong key."""

    def cryptogram(self, tags: dict[str, bytes]) -> bytes:
        return bytes(byte ^ 0xFF for byte in super().cryptogram(tags))


class Declining(VisaCard):
    """Declines the payment itself (AAC)."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self.kind = AAC


class Approving(VisaCard):
    """Approves the payment itself (TC) without offline authentication, although an ARQC was requested."""

    def __init__(self, profile: Profile) -> None:
        super().__init__(profile)
        self.kind = TC


class NotUsable(VisaCard):
    """Answers GET PROCESSING OPTIONS with 6985, "try another application", but has no other."""

    def get_processing_options(self, data: bytes) -> bytes:
        return SW_CONDITIONS


class Replaying(VisaCard):
    """A recording: repeats its first answer for every payment, so the transaction counter does not move."""

    _recorded = b""

    def get_processing_options(self, data: bytes) -> bytes:
        self._recorded = self._recorded or super().get_processing_options(data)
        return self._recorded


class Oversize(VisaCard):
    """Declares a length beyond the end of the answer."""

    def get_processing_options(self, data: bytes) -> bytes:
        answer = super().get_processing_options(data)
        return answer[:1] + b"\x82\xff\xff" + answer[2:]


class TwoNumbers(VisaCard):
    """Its record has another card number than track 2."""

    def read_record(self, number: int, reference: int) -> bytes:
        other = self.profile.pan[:-1] + str((int(self.profile.pan[-1]) + 1) % 10)
        return tlv("70", tlv("5A", bytes.fromhex(other))) + SW_OK


class Repeating(VisaCard):
    """Returns track 2 twice: in the answer and in a record."""

    def read_record(self, number: int, reference: int) -> bytes:
        return tlv("70", tlv("57", self.track2())) + SW_OK


class Noise(Card):
    """Answers every APDU with random bytes and status word 9000."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def transmit(self, capdu: bytes) -> bytes:
        return self._random.randbytes(self._random.randrange(256)) + SW_OK


class Foreign(Card):
    """Offers only a scheme for which the reader has no kernel."""

    def transmit(self, capdu: bytes) -> bytes:
        if capdu[5:19] != PPSE:
            return SW_NOT_FOUND
        entry = tlv("61", tlv("4F", bytes.fromhex("A0000000651010")), tlv("50", b"OTHER"), tlv("87", b"\x01"))
        return tlv("6F", tlv("84", PPSE), tlv("A5", tlv("BF0C", entry))) + SW_OK


class KeyFob(Card):
    """Not a payment card: a tag without ISO/IEC 14443-4."""

    sel_res = 0x08
