# SPDX-License-Identifier: MIT
"""Run a transaction between the kernel (on any interpreter) and a virtual card or a recording, without a reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from host_tests.harness.in_micropython.runner import InsideError
from tools.cards.card import Card

ONLINE, APPROVED = 1, 2
TERMS = {
    "amount": 12345, "date": "261123", "unpredictable": "a1b2c3d4", "cvm_required": False, "authorities": None, "revoked": [],
    "risk": 0, "currency": 156, "country": 156, "capabilities": "000800", "applications": "", "number": 50, "time": "235958",
}  # fmt: skip


@dataclass
class Result:
    """The outcome of a transaction, with all commands and answers."""

    kind: int
    message: int
    expired: bool
    refusal: str  # why only the host may accept this card, "" = no reason
    body: bytes
    first6: str
    last4: str
    away: bool  # the card could be removed before its signature was checked
    commands: list[bytes] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)


class Play:
    """Drives cases_card.py. `cases` calls its functions."""

    def __init__(self, cases: Callable[..., Any]) -> None:
        self.cases = cases

    def card(self, card: Card, **terms: object) -> Result:
        """Run a transaction with a card that stays in the field. Raises InsideError, CardGone."""
        card.reset()
        return self.answers(card.transmit, **terms)

    def answers(self, answer: Callable[[bytes], bytes], **terms: object) -> Result:
        """Run a transaction in which `answer` maps each command APDU to its answer."""
        commands: list[bytes] = []
        answers: list[bytes] = []
        step = self.cases("card", "begin", {**TERMS, **terms})
        while "command" in step:
            commands.append(bytes.fromhex(step["command"]))
            answers.append(answer(commands[-1]))
            step = self.cases("card", "answer", answers[-1].hex())
        step["body"] = bytes.fromhex(step["body"])
        return Result(**step, commands=commands, answers=answers)

    def ending(self, answer: Callable[[bytes], bytes], **terms: object) -> int | str:
        """The outcome's kind, or the error's name. Asserts that card data remains only if online or approved."""
        try:
            result = self.answers(answer, **terms)
        except InsideError as error:
            assert self.cases("card", "residue") == self.cases("card", "kept") == 0
            return error.kind
        assert self.cases("card", "residue") == 0
        assert (self.cases("card", "kept") > 0) == (result.kind in (ONLINE, APPROVED))
        return result.kind
