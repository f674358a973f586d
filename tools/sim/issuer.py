# SPDX-License-Identifier: MIT
"""A card issuer for tests, the demo and the panel: checks what an issuer checks, and moves no money."""

import dataclasses
import datetime
import hashlib
import re
from collections.abc import Callable, Mapping

from tools.cards.issuer_keys import ISSUER_MASTER_KEYS
from tools.cards.verify import check_cryptogram
from tools.host.keys.card_number import pan_of
from tools.host.outside.issuer import Advice, Decision, Payment
from tools.host.store.ledger import Ledger
from tools.host.wire import answers, kinds

_ARQC, _TC = 0x80, 0x40
CREDIT_LINE = 10_000_000  # spending limit of each card, minor units


class IssuerSimulator:
    """Checks what an issuer checks: that the card is its own, cryptogram, amount, counter, expiry, block list.

    The counter of an online payment must be above all counters seen of the card. A deferred one may arrive late: its
    counter only has to be new.
    """

    def __init__(
        self,
        ledger: Ledger,
        now: Callable[[], datetime.datetime],
        master_keys: Mapping[str, bytes] = ISSUER_MASTER_KEYS,
    ) -> None:
        self._now = now
        self._master_keys = master_keys
        self._ledger = ledger
        self._seen = ledger.card_counters()
        self.blocked: set[str] = set()  # by card number
        self.refuse_with: str | None = None  # an answer code that refuses every payment
        self.held: dict[bytes, int] = {}  # payment -> its worth to the merchant, as this issuer has it
        self.undone: set[bytes] = set()

    async def decide(self, payment: Payment) -> Decision:
        """Decide one payment; see Issuer.decide."""
        if payment.uid in self.undone:
            return Decision(answers.INVALID, text="Undone before it came")
        decision = self._decide(payment)
        if decision.code in answers.YES:
            self.held[payment.uid] = kinds.worth(payment.type, payment.amount)
        return decision

    async def tell(self, advice: Advice) -> None:
        """Take note of a void, tip or adjustment; see Issuer.tell."""
        if advice.uid not in self.undone:
            before = self.held.get(advice.original, 0)
            self.held[advice.uid] = kinds.worth(advice.type, advice.amount, before)

    async def undo(self, tid: str, uid: bytes) -> None:
        """Undo a payment or an advice; see Issuer.undo."""
        self.undone.add(uid)
        self.held.pop(uid, None)

    def _decide(self, payment: Payment) -> Decision:
        tags = payment.tags
        try:
            pan = pan_of(dict(tags))
        except ValueError:
            return Decision(answers.BAD_CARD, text="No card number")
        master_key = self._master_keys.get(pan[:6])
        if master_key is None:
            return Decision(answers.BAD_CARD, text="Unknown card issuer")
        if not check_cryptogram(dict(tags), master_key):
            return Decision(answers.SUSPECT, text="Card not genuine")
        return self._judge(payment, pan, int.from_bytes(tags["9F36"], "big"))

    def _judge(self, payment: Payment, pan: str, atc: int) -> Decision:
        """Decide a payment whose card is genuine."""
        if not self._use_counter(payment, atc):
            return Decision(answers.SUSPECT, text="Card data used before")
        decision = Decision(*self._terms(payment, pan), atc=atc)
        if payment.type == kinds.BALANCE and decision.code in answers.YES:
            left = CREDIT_LINE - self._ledger.spent(payment.card)
            return dataclasses.replace(decision, auth_code=None, balance=left)
        return decision

    def _terms(self, payment: Payment, pan: str) -> tuple[str, str | None, str]:
        """Answer code, authorisation code and text for a genuine card with a fresh counter."""
        tags = payment.tags
        kind = tags.get("9F27", bytes((_ARQC,)))[:1]
        if kind != bytes((_TC,)) and (payment.proven or kind != bytes((_ARQC,))):  # unproven TC: see CTQ byte 1
            return answers.DO_NOT_HONOUR, None, "Card declined"
        if tags["9F02"].hex() != f"{payment.amount:012}" or tags["5F2A"].hex() != payment.currency:
            return answers.WRONG_AMOUNT, None, "Amount differs from the card's"
        if pan in self.blocked:
            return answers.RESTRICTED, None, "Card blocked"
        if _expiry(tags) < f"{self._now():%y%m}":
            return answers.EXPIRED, None, "Card expired"
        if self.refuse_with is not None:
            return self.refuse_with, None, "Declined by issuer"
        auth_code = tags.get("89", b"").decode("ascii", "replace")
        if payment.type == kinds.VOICE_SALE and not re.fullmatch("[0-9]{6}", auth_code):
            return answers.DO_NOT_HONOUR, None, "No such voice authorisation"
        if payment.amount > CREDIT_LINE and kinds.KINDS[payment.type].effect == kinds.DEBIT:
            return answers.NO_FUNDS, None, "Over the credit line"
        given = int.from_bytes(hashlib.sha256(payment.uid).digest()) % 10**6  # the same uid gets the same decision
        return answers.APPROVED, auth_code or f"{given:06}", ""

    def _use_counter(self, payment: Payment, atc: int) -> bool:
        """Record the card's counter. False if it is a replay."""
        seen = self._seen.setdefault(payment.card, {})
        if atc in seen:
            return seen[atc] == payment.uid
        if payment.online and seen and atc < max(seen):
            return False
        seen[atc] = payment.uid
        return True


def _expiry(tags: Mapping[str, bytes]) -> str:
    """YYMM of the application's expiry date (5F24), or else of track 2 (57)."""
    if "5F24" in tags:
        return tags["5F24"].hex()[:4]
    return tags["57"].hex().partition("d")[2][:4]
