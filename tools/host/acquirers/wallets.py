# SPDX-License-Identifier: MIT
"""All wallets of all merchants, as the host asks them (outside/wallet.py). Which one an order goes to is stored first.

An order is asked about again when its terminal repeats it, and by `tend` when it does not, until there is a final word.
Whoever takes too long has the order undone. Unknown is never no: the provider is asked what became of it, then undone.
"""

import asyncio
import datetime
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Row

from tools.host.acquirers import codes, orders, threads
from tools.host.acquirers.provider import DEADLINE, NO, UNKNOWN, YES, Outcome, Provider, Refund, Words
from tools.host.acquirers.provider import Order as Asked
from tools.host.errors import IssuerFault, ProviderFault
from tools.host.outside.issuer import Decision
from tools.host.outside.wallet import Order, Return, Revocation
from tools.host.running import logs
from tools.host.store.ledger import Ledger
from tools.host.wire import answers, kinds

_CURRENCIES = {"0156": "CNY"}
_LOST = 60.0  # seconds: an order that never arrived at its provider may still be on its way for so long
_ASKED_AGAIN = (
    30.0  # seconds: an order by a customer's code is not asked for again after it, or _LOST would be too short
)
_AFTER_FAULT = 5.0  # seconds
_NEVER_CAME = Words("The refund never arrived", "退款未送达")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wallet:
    """One account at a provider. `kind`: whose codes it takes (codes.py). `merchants`: whose it is; empty: everybody's.

    `fee`: basis points that the provider keeps. `shows`: whether its code can be shown for the customer to scan.
    """

    name: str
    kind: str
    provider: Provider
    merchants: frozenset[str] = frozenset()
    fee: int = 0
    shows: bool = True

    def serves(self, merchant: str) -> bool:
        return not self.merchants or merchant in self.merchants


class Wallets:
    """See outside.wallet.Wallet. `wallets`: in the order in which they are tried; the first that shows codes is the
    default.
    """

    def __init__(self, ledger: Ledger, wallets: Sequence[Wallet], forms: Sequence[codes.Form] = codes.DEFAULTS) -> None:
        self._ledger = ledger
        self.wallets: Mapping[str, Wallet] = {wallet.name: wallet for wallet in wallets}
        self._forms = forms

    async def pay(self, order: Order) -> Decision:
        """Ask for an order, or what became of it; see outside.wallet.Wallet."""
        row, new = await self._read(orders.find, order.tid, order.uid), False
        if row is None:
            chosen = self._choose(order)
            if isinstance(chosen, Decision):
                return chosen
            row, new = await self._write(orders.open_order, order, chosen.name, _CURRENCIES.get(order.currency, ""))
        if row.amount != order.amount:
            raise IssuerFault("this order was asked for with another amount")
        if new:
            asked = _asked(row, order.code)
            row = await self._ask(row, lambda provider: provider.pay(asked))
        elif row.state in orders.OPEN:
            row = await self._step(row, order.code)
        return _decision(row)

    async def give_back(self, back: Return) -> Decision:
        """Refund an order, or ask what became of the refund; see outside.wallet.Wallet."""
        of = await self._read(orders.find, back.order_tid, back.order)
        if of is None or of.mid != back.merchant:
            return Decision(answers.NOT_FOUND, text="No wallet here has this order")
        if of.state != orders.PAID:
            return Decision(answers.INVALID, text="It was not paid")
        row, new = await self._write(orders.open_refund, back, of.wallet, of.currency)
        refund = Refund(row.uid, _asked(of), row.amount)
        if new:
            row = await self._ask(row, lambda provider: provider.refund(refund), refund=True)
        elif row.state in (orders.ASKED, orders.WAITING) and await self._write(orders.lease, row):
            row = await self._ask(row, lambda provider: _refund_again(provider, refund), refund=True)
        return _decision(row)

    async def revoke(self, what: Revocation) -> None:
        """Undo an order, paid or not; see outside.wallet.Wallet. Raises IssuerFault until it is done."""
        if kinds.KINDS[what.type].source == kinds.PAID_CODE:
            return await self._end_refund(what)
        row = await self._write(orders.begin_undo, what, _CURRENCIES["0156"])
        if row.state in (orders.UNDONE, orders.REFUSED):
            return
        if row.state == orders.KEPT:
            raise IssuerFault("it is paid and cannot be undone: give it back by hand")
        if row.wallet:
            wallets = [self._wallet(row.wallet)]
        else:  # a host whose backup was restored here may have asked any of them
            wallets = [wallet for wallet in self.wallets.values() if wallet.serves(row.mid)]
            if not wallets:
                raise IssuerFault("no wallet of this merchant is set up")
        if orders.age(row) < max([DEADLINE, *(wallet.provider.manners.undo_after for wallet in wallets)]):
            raise IssuerFault("too soon to be undone")  # it may still be on its way there
        outcome = Outcome(YES)
        for wallet in wallets:
            outcome = await self._call(wallet.provider.undo(_asked(row)))
            if outcome.answer not in (YES, NO) or outcome.missing and _may_come(row, wallet):
                raise IssuerFault(outcome.words.en or "not undone yet")
            if outcome.answer == NO:
                break
        await self._write(orders.end_undo, row, outcome)
        if outcome.answer == NO:
            logs.say(logging.ERROR, "paid, and cannot be undone", wallet=row.wallet, order=row.uid)
            raise IssuerFault("it is paid and cannot be undone: give it back by hand")

    async def _end_refund(self, what: Revocation) -> None:
        """Money that was given back cannot be taken back. Raises IssuerFault unless none was, and none will be."""
        row = await self._read(orders.refund_of, what.tid, what.uid)
        of = row and await self._read(orders.find, row.order_tid, bytes.fromhex(row.order_uid))
        if row is None or of is None or row.state == orders.REFUSED:
            return
        if row.state != orders.PAID:
            found = await self._call(
                self._wallet(row.wallet).provider.query_refund(Refund(row.uid, _asked(of), row.amount))
            )
            if found.missing and not orders.is_idle(row, _LOST):
                raise IssuerFault("it may still be on its way")
            found = Outcome(NO, answers.INVALID, _NEVER_CAME) if found.missing else found
            await self._write(orders.note, row, found, _AFTER_FAULT)
            row = await self._reread(row, refund=True)
        if row.state == orders.PAID:
            raise IssuerFault("it was given back and cannot be undone: settle it with the customer by hand")
        if row.state != orders.REFUSED:
            raise IssuerFault(row.text_en or "the refund has no final answer yet")

    async def tend(self) -> None:
        """Ask about open orders whose terminals do not. Called every few seconds."""
        await asyncio.gather(*(self._tend(row) for row in await self._read(orders.due, tuple(self.wallets))))

    async def close(self) -> None:
        """End the connections to all providers."""
        for wallet in self.wallets.values():
            await wallet.provider.close()

    async def _tend(self, row: Row[Any]) -> None:
        try:
            if row.state == orders.ASKED and not row.is_shown and orders.age(row) < self._patience(row):
                return  # if it never arrived, only its terminal can ask for it again: it has the code
            await self._step(row)
        except IssuerFault as fault:
            await self._write(orders.note_trouble, row, str(fault), _AFTER_FAULT)

    def _choose(self, order: Order) -> Wallet | Decision:
        """The wallet for a new order. What is stored with an order that was asked about before counts more."""
        mine = [wallet for wallet in self.wallets.values() if wallet.serves(order.merchant)]
        if order.code:
            kind = codes.kind_of(order.code, self._forms)
            found = [wallet for wallet in mine if wallet.kind == kind]
        else:
            found = [wallet for wallet in mine if wallet.shows and order.wallet in ("", wallet.kind, wallet.name)]
        if found:  # one that is this merchant's own counts more than everybody's
            return next((wallet for wallet in found if wallet.merchants and wallet.kind == found[0].kind), found[0])
        return Decision(
            answers.BAD_CARD, text="No wallet here takes this code" if order.code else "No such wallet here"
        )

    async def _step(self, row: Row[Any], code: str = "") -> Row[Any]:
        """Ask about an open order if it is due; again for it if it never arrived; undo it if its time is over."""
        patience = self._patience(row)
        if not await self._write(orders.lease, row):
            return row
        if orders.is_ahead(row):
            row = await self._reread(row)
        if row.state != orders.EXPIRING:
            late = orders.age(row) >= patience
            again = not late and (code and orders.age(row) <= _ASKED_AGAIN or row.is_shown and not row.shown)
            row = await self._ask(row, lambda provider: _query(provider, _asked(row, code), again))
            if not late or row.state not in orders.OPEN or not await self._write(orders.expire, row):
                return row
            row = await self._reread(row)
        return await self._ask(row, lambda provider: provider.undo(_asked(row)))

    def _patience(self, row: Row[Any]) -> float:
        """How long the customer of an order may take, in seconds."""
        manners = self._wallet(row.wallet).provider.manners
        return manners.shown_patience if row.is_shown else manners.patience

    async def _ask(
        self, row: Row[Any], call: Callable[[Provider], Awaitable[Outcome]], refund: bool = False
    ) -> Row[Any]:
        """Call the provider of an order or refund and store what it says. Returns the row as it is then."""
        provider = self._wallet(row.wallet).provider
        try:
            outcome = await self._call(call(provider))
            if row.state == orders.EXPIRING and outcome.missing and orders.age(row) < _LOST:
                outcome = Outcome(UNKNOWN)  # it may still be on its way there
            await self._write(orders.note, row, outcome, outcome.again or provider.manners.interval)
        except IssuerFault as fault:
            logs.say(logging.WARNING, "wallet", wallet=row.wallet, order=row.uid, fault=str(fault))
            await self._write(orders.note_trouble, row, str(fault), _AFTER_FAULT)
        return await self._reread(row, refund)

    async def _call(self, word: Awaitable[Outcome]) -> Outcome:
        """An outcome within the deadline. Raises ProviderFault, whatever went wrong."""
        try:
            return await asyncio.wait_for(word, DEADLINE)
        except TimeoutError:
            raise ProviderFault("no answer in time") from None
        except IssuerFault:
            raise
        except Exception as fault:  # of a provider's library: nothing is known
            logs.say(logging.ERROR, "a wallet's adapter breaks", fault=logs.where(fault))
            raise ProviderFault(type(fault).__name__) from None

    def _wallet(self, name: str) -> Wallet:
        if name not in self.wallets:
            raise ProviderFault(f"the wallet {name} is not set up any more")
        return self.wallets[name]

    async def _reread(self, row: Row[Any], refund: bool = False) -> Row[Any]:
        found = await self._read(orders.refund_of if refund else orders.find, row.tid, bytes.fromhex(row.uid))
        assert found is not None, "rows are never deleted"
        return found

    async def _write(self, work: Callable[..., T], *args: Any) -> T:
        def run() -> T:
            with self._ledger.write() as db:
                return work(db, *args)

        return await self.in_thread(run)

    async def _read(self, work: Callable[..., T], *args: Any) -> T:
        def run() -> T:
            with self._ledger.read() as db:
                return work(db, *args)

        return await self.in_thread(run)

    async def in_thread(self, work: Callable[..., T], *args: Any) -> T:
        """Do work on the database in a thread."""
        return await threads.in_thread(work, *args)


async def _query(provider: Provider, order: Asked, again: object) -> Outcome:
    """What became of an order. `again`: it may be asked for once more if it never arrived.

    A refusal then may be about the first request, which was slow and has used up the customer's code. So it has to be
    confirmed.
    """
    outcome = await provider.query(order)
    if not outcome.missing or not again:
        return outcome
    outcome = await provider.pay(order)
    if outcome.answer != NO:
        return outcome
    found = await provider.query(order)
    return outcome if found.missing else found


def _may_come(row: Row[Any], wallet: Wallet) -> bool:
    """Whether an order that a wallet does not have may still come there.

    If only a host that was lost knew the code that was shown, a customer may have it.
    """
    scannable = wallet.provider.manners.shown_patience if row.is_shown and not row.wallet else 0.0
    return orders.age(row) < _LOST + scannable


async def _refund_again(provider: Provider, refund: Refund) -> Outcome:
    outcome = await provider.query_refund(refund)
    return await provider.refund(refund) if outcome.missing else outcome


def _asked(row: Row[Any], code: str = "") -> Asked:
    """An order as a provider is asked about it."""
    at = datetime.datetime.fromtimestamp(row.asked / 1000, datetime.UTC)
    return Asked(row.uid, row.amount, row.currency, bool(row.is_shown), at, code, row.shown or b"", row.their_id)


def _decision(row: Row[Any]) -> Decision:
    """What the terminal is told about an order or refund."""
    if row.state == orders.PAID:
        return Decision(answers.APPROVED, text=row.text_en)
    if row.state in (orders.REFUSED, orders.UNDONE, orders.KEPT):
        return Decision(row.code or answers.INVALID, text=row.text_en or "Undone")
    if row.state == orders.WAITING:
        return Decision(answers.IN_PROGRESS, text=row.text_en, shown=getattr(row, "shown", None) or b"")
    return Decision(answers.ISSUER_SILENT, text=row.text_en or "No answer from the wallet yet")
