# SPDX-License-Identifier: MIT
"""The card acquirer, as the host asks it (outside/issuer.py). What is sent is stored first; no answer is not guessed at.

A request without an answer is repeated as it was (its STAN, its time) when the terminal repeats it, and reversed when the
terminal reverses it. A reversal and an advice are repeated until they are answered.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sqlalchemy import Row

from tools.host.acquirers.card import requests, translate
from tools.host.acquirers.card.codec import Fields
from tools.host.acquirers.card.dialect import Dialect, Form, Meaning
from tools.host.acquirers.card.link import Link
from tools.host.acquirers.card.requests import ASKED, NO, UNDOING, UNDONE, YES, New, Numbers
from tools.host.acquirers.provider import NO as SAYS_NO
from tools.host.acquirers.provider import YES as SAYS_YES
from tools.host.acquirers.threads import in_thread
from tools.host.errors import ProviderFault
from tools.host.outside.issuer import Advice, Decision, Payment
from tools.host.store.ledger import Ledger
from tools.host.wire import answers, kinds

_BALANCE = re.compile(r"[0-9]{4}[0-9]{3}([CD])([0-9]{12})")  # account, kind, currency, sign, amount
_ATC = "9F36"
T = TypeVar("T")


class CardAcquirer:
    """See outside.issuer.Issuer. `member`: our id at the acquirer (DE 32)."""

    def __init__(self, ledger: Ledger, dialect: Dialect, link: Link, numbers: Numbers, member: str) -> None:
        self.dialect, self.link, self.numbers = dialect, link, numbers
        self.member_values = {"acquirer": member, "acquirer_length": len(member)}
        self._ledger = ledger

    async def decide(self, payment: Payment) -> Decision:
        """Ask for a payment, or again what was asked before; see Issuer.decide. Raises ProviderFault."""
        form = self.dialect.transaction(payment.type, payment.proven)
        if form is None:
            return Decision(answers.INVALID, text="Not taken by the acquirer")
        try:
            card = translate.card_values(payment.tags, self.dialect)
        except (ValueError, KeyError):  # its text may hold card data
            return Decision(answers.BAD_CARD, text="Card data unreadable")
        row = await self.read(requests.find, payment.tid, payment.uid)
        if row is None or row.state == ASKED:
            await self.link.ready()
            worth = kinds.worth(payment.type, payment.amount)
            new = payment.tid, payment.uid, payment.merchant, form, payment.amount, payment.currency, worth
            row, again = await self._open(New(*new, stan=await in_thread(self.numbers.take)))
            about = await self.read(requests.original, payment.tid, payment.uid)
            if row.state == ASKED:
                row = await self._ask(row, {**card, **self._original(about)}, again)
        if row.state == UNDOING:  # the acquirer does not say what became of it: it is reversed, and then refused
            await self._reverse(row)
            return Decision(answers.INVALID, text="Undone")
        return self._decision(row, payment)

    async def tell(self, advice: Advice) -> None:
        """Tell a void, tip or adjustment; see Issuer.tell. Raises ProviderFault until the acquirer has accepted it."""
        form = self.dialect.transaction(advice.type)
        about = await self.read(requests.find, advice.tid, advice.original)
        if form is None or about is None or about.state != YES:
            raise ProviderFault("an advice about a payment that the acquirer has not approved")
        await self.link.ready()
        worth = kinds.worth(advice.type, advice.amount, about.amount)
        new = advice.tid, advice.uid, advice.merchant, form, advice.amount, about.currency, worth
        row, again = await self._open(New(*new, stan=await in_thread(self.numbers.take)))
        if row.state == ASKED:
            row = await self._ask(row, self._original(about), again)
        if row.state not in (YES, UNDOING, UNDONE):
            raise ProviderFault(f"the acquirer does not accept it: {row.their_code!a}")

    async def undo(self, tid: str, uid: bytes) -> None:
        """Reverse a payment or an advice; see Issuer.undo. Raises ProviderFault until the acquirer has answered."""
        row = await self.write(requests.begin_undo, tid, uid, await in_thread(self.numbers.take))
        if row.state == UNDOING:
            await self._reverse(row)

    async def close(self) -> None:
        """End the connection."""
        await self.link.close()

    async def _open(self, new: New) -> tuple[Row[Any], bool]:
        """Store it, or find it. Returns its row, and whether it was there."""
        row, is_new = await self.write(requests.open_, new)
        return row, not is_new

    async def _ask(self, row: Row[Any], more: Mapping[str, Any], again: bool) -> Row[Any]:
        """Send a stored request or advice. Returns its row with what came of it. Raises ProviderFault."""
        form = self._form(row)
        fields = translate.render(form, self.dialect, {**more, **self._values(row)})

        async def late(answer: Fields) -> None:
            await self._understand(row, form, answer, again)

        return await self._understand(row, form, await self.link.ask(form, fields, again, late), again)

    async def _reverse(self, row: Row[Any]) -> None:
        """Send a reversal, or send it again. Raises ProviderFault until it is answered."""
        await self.link.ready()
        row, first = await self.write(requests.send_undo, row)
        if row.state != UNDOING:
            return
        form = self.dialect.reversal
        process = dict(self._form(row).values)
        values = self._values(row) | process | translate.times(row.undo_sent) | {"stan": row.undo_stan}
        values |= {"rrn": row.rrn or _rrn(row), **self._original(row)}
        fields = translate.render(form, self.dialect, values)

        async def done(answer: Fields) -> None:
            code = answer.get("39", "")
            if code not in form.done:
                raise ProviderFault(f"the acquirer does not reverse it: {code[:3]!a}")
            await self.write(requests.end_undo, row, self._day(answer, row.undo_sent), code)

        await done(await self.link.ask(form, fields, not first, done))

    async def _understand(self, row: Row[Any], form: Form, answer: Fields, again: bool) -> Row[Any]:
        """Store what an answer means. Returns the row as it is then."""
        code = answer.get("39", "")
        meaning = self.dialect.meaning(form, code)
        if meaning.sign_on:
            self.link.sign_on_again()
        values: dict[str, Any] = {"their_code": code, "text_en": meaning.words.en, "text_zh": meaning.words.zh}
        if meaning.answer == SAYS_YES:
            values |= {"code": meaning.ours, "day": self._day(answer, row.sent)}
            values |= {"rrn": answer.get("37") or (_rrn(row) if "{rrn}" in self.dialect.values.get("37", "") else "")}
            values |= {"auth_code": answer.get("38") or None, "balance": _balance(answer)}
            return await self.write(requests.end, row, YES, values)
        if meaning.answer == SAYS_NO and not self._is_told(form):
            return await self.write(requests.end, row, NO, {**values, "code": meaning.ours})
        if meaning.duplicate and again and not self._is_told(form):
            return await self._give_up(row, values)
        return await self.write(requests.end, row, ASKED, values)

    async def _give_up(self, row: Row[Any], values: dict[str, Any]) -> Row[Any]:
        """The acquirer has it, but will not say what became of it: it is to be reversed."""
        await self.write(requests.end, row, ASKED, values)
        return await self.write(
            requests.begin_undo, row.tid, bytes.fromhex(row.uid), await in_thread(self.numbers.take)
        )

    def _is_told(self, form: Form) -> bool:
        """Whether it is an advice that the host has decided: the acquirer cannot refuse it for good."""
        return all(kinds.KINDS[kind].source == kinds.NAMED for kind in form.types)

    def _decision(self, row: Row[Any], payment: Payment) -> Decision:
        if row.state == YES:
            atc = payment.tags.get(_ATC)
            return Decision(
                row.code,
                row.auth_code,
                row.text_en,
                int.from_bytes(atc, "big") if atc else None,
                row.balance if payment.type == kinds.BALANCE else None,
            )
        if row.state in (NO, UNDONE):
            return Decision(row.code, text=row.text_en if row.state == NO else "Undone")
        meaning: Meaning = self.dialect.meaning(self._form(row), row.their_code)
        return Decision(meaning.ours, text=meaning.words.en)

    def _form(self, row: Row[Any]) -> Form:
        """Raises ProviderFault if the dialect was changed and has this transaction no more."""
        form = self.dialect.transactions.get(row.kind)
        if form is None:
            raise ProviderFault(f"the dialect has no {row.kind} any more")
        return form

    def _values(self, row: Row[Any]) -> dict[str, Any]:
        """What a stored transaction gives a message."""
        return {
            "amount": row.amount,
            "currency": row.currency[-3:],
            "stan": row.stan,
            "terminal": row.tid,
            "merchant": row.mid,
            **self.member_values,
            "rrn": _rrn(row),
            **translate.times(row.sent),
        }

    def _original(self, row: Row[Any] | None) -> dict[str, Any]:
        """What a message says about the transaction that it is about."""
        if row is None:
            return {}
        given = {"original_rrn": row.rrn, "original_auth_code": row.auth_code}
        return {
            "original_mti": self._form(row).mti,
            "original_stan": row.stan,
            **{name: value for name, value in given.items() if value},
            **translate.times(row.sent, "original_"),
        }

    def _day(self, answer: Fields, sent: int) -> str:
        element, form = self.dialect.day
        try:
            return requests.day_of(sent, answer.get(element, ""), form)
        except ValueError:
            raise ProviderFault(f"the acquirer's answer has no day in DE {element}") from None

    async def write(self, work: Callable[..., T], *args: Any) -> T:
        """Do `work` in a write transaction, in a thread."""

        def run() -> T:
            with self._ledger.write() as db:
                return work(db, *args)

        return await in_thread(run)

    async def read(self, work: Callable[..., T], *args: Any) -> T:
        """Do `work` in a read transaction, in a thread."""

        def run() -> T:
            with self._ledger.read() as db:
                return work(db, *args)

        return await in_thread(run)


def _rrn(row: Row[Any]) -> str:
    """The reference number that we give it, if the acquirer gives none: year, day, hour, STAN (ISO 8583:1987, DE 37)."""
    local = translate.times(row.sent)["local"]
    return f"{local:%y%j%H}"[1:] + row.stan


def _balance(answer: Fields) -> int | None:
    found = _BALANCE.search(answer.get("54", ""))
    return (1 if found[1] == "C" else -1) * int(found[2]) if found else None
