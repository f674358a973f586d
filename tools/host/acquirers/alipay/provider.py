# SPDX-License-Identifier: MIT
"""Alipay as acquirers.provider.Provider. Our order number is the payment's uid, 32 hex digits: a repeat pays nothing."""

import asyncio
import datetime
import re
from collections.abc import Awaitable, Sequence
from typing import TypeVar

from tools.host.acquirers.alipay import amounts, bill, checks, outcomes
from tools.host.acquirers.alipay import undo as undoing
from tools.host.acquirers.alipay.gateway import Gateway
from tools.host.acquirers.provider import (
    DEADLINE,
    NO,
    UNKNOWN,
    WAITING,
    YES,
    BillLine,
    Manners,
    Order,
    Outcome,
    Refund,
    Words,
)
from tools.host.errors import ProviderFault
from tools.host.wire import answers

LIMIT = DEADLINE - 1  # seconds for one of the calls below, however many requests it takes
_OF_REFUND = 10.0  # seconds from a refund to the first query about it
_QR = re.compile(r"https://[!-~]{1,200}")
T = TypeVar("T")


class Alipay:
    """`subject`: what the customer reads in the app. `extras`: more fields of alipay.trade.pay and of .precreate."""

    def __init__(self, gateway: Gateway, subject: str, pay: dict[str, str], precreate: dict[str, str]) -> None:
        self._gateway, self._subject, self._pay, self._precreate = gateway, subject, pay, precreate

    @property
    def manners(self) -> Manners:
        """Every 3 to 6 s for about 60 s, then a cancel right after the last query."""
        return Manners(interval=4.0, patience=60.0, shown_patience=undoing.QR_MINUTES * 60.0)

    async def pay(self, order: Order) -> Outcome:
        """See Provider. Nobody is asked for an amount or a currency that Alipay does not take."""
        if order.currency != checks.YUAN or not 0 < order.amount <= amounts.MOST:
            return Outcome(NO, answers.WRONG_AMOUNT, Words("Alipay takes yuan only", "支付宝只收人民币"))
        return await _within(self._show(order) if order.is_shown else self._charge(order))

    async def query(self, order: Order) -> Outcome:
        return await _within(self._query(order))

    async def undo(self, order: Order) -> Outcome:
        return await _within(undoing.undo(self._gateway, order))

    async def refund(self, refund: Refund) -> Outcome:
        return await _within(self._refund(refund))

    async def query_refund(self, refund: Refund) -> Outcome:
        return await _within(undoing.refunded(self._gateway, refund.order, refund.reference, refund.amount))

    async def bill(self, day: datetime.date) -> Sequence[BillLine] | None:
        return await _within(bill.fetch(self._gateway, day))

    async def close(self) -> None:
        await self._gateway.close()

    async def _charge(self, order: Order) -> Outcome:
        """alipay.trade.pay with the digits that the customer shows."""
        if not order.code:
            return Outcome(UNKNOWN, missing=True)
        content = {"scene": "bar_code", "auth_code": order.code, "timeout_express": "2m", **self._pay}
        answer = await self._gateway.ask("alipay.trade.pay", self._ordered(order) | content)
        code = answer.get("code")
        if code not in (outcomes.DONE, outcomes.CONFIRMS):
            checks.about(answer, order, must=False)
            return outcomes.of(answer, outcomes.PAY)
        checks.about(answer, order)
        their_id = checks.text(answer, "trade_no")
        if code == outcomes.CONFIRMS:
            return Outcome(WAITING, words=outcomes.CONFIRM, their_code=code, their_id=their_id)
        checks.amount(answer, "total_amount", order.amount)
        return Outcome(YES, words=outcomes.PAID, their_code=outcomes.DONE, their_id=their_id)

    async def _show(self, order: Order) -> Outcome:
        """alipay.trade.precreate: a code for the customer to scan. Its time is short; see undo.py."""
        minutes = f"{undoing.QR_MINUTES}m"
        content = {"timeout_express": minutes, "qr_code_timeout_express": minutes, **self._precreate}
        answer = await self._gateway.ask("alipay.trade.precreate", self._ordered(order) | content)
        if answer.get("code") != outcomes.DONE:
            checks.about(answer, order, must=False)
            return outcomes.of(answer, outcomes.PAY)
        checks.about(answer, order)
        shown = checks.text(answer, "qr_code")
        if not _QR.fullmatch(shown):
            raise ProviderFault("a qr_code that is none")
        return Outcome(WAITING, words=outcomes.SCAN, their_code=outcomes.DONE, shown=shown.encode())

    def _ordered(self, order: Order) -> dict[str, str]:
        amount = amounts.yuan(order.amount)
        return {"out_trade_no": order.reference, "total_amount": amount, "subject": self._subject}

    async def _query(self, order: Order) -> Outcome:
        answer = await self._gateway.ask("alipay.trade.query", {"out_trade_no": order.reference})
        if answer.get("code") != outcomes.DONE:
            checks.about(answer, order, must=False)
            if outcomes.sub_code(answer) != outcomes.NOT_EXIST:
                return outcomes.of(answer, outcomes.QUERY)
            if order.shown:  # there is no trade before somebody scans it
                return Outcome(WAITING, words=outcomes.SCAN, their_code=outcomes.NOT_EXIST)
            return Outcome(UNKNOWN, their_code=outcomes.NOT_EXIST, missing=True)
        checks.about(answer, order)
        checks.amount(answer, "total_amount", order.amount)
        state, their_id = checks.text(answer, "trade_status"), checks.text(answer, "trade_no")
        if state in ("TRADE_SUCCESS", "TRADE_FINISHED"):
            return Outcome(YES, words=outcomes.PAID, their_code=state, their_id=their_id)
        if state == "TRADE_CLOSED":  # "unpaid and timed out, or paid and refunded in full": in any case nothing is paid
            return Outcome(NO, answers.DO_NOT_HONOUR, outcomes.CLOSED, state, their_id)
        if state == "WAIT_BUYER_PAY":
            return Outcome(WAITING, words=outcomes.CONFIRM, their_code=state, their_id=their_id)
        raise ProviderFault("a trade in an unknown state")

    async def _refund(self, refund: Refund) -> Outcome:
        order = refund.order
        content = {"out_trade_no": order.reference, "out_request_no": refund.reference}
        answer = await self._gateway.ask(
            "alipay.trade.refund", content | {"refund_amount": amounts.yuan(refund.amount)}
        )
        if answer.get("code") != outcomes.DONE:
            checks.about(answer, order, must=False)
            outcome = outcomes.of(answer, outcomes.REFUND)
            if outcomes.sub_code(answer) != outcomes.HAS_CLOSE:
                return outcome
            # It may be this very refund that closed the trade, and be asked for again.
            before = await undoing.refunded(self._gateway, order, refund.reference, refund.amount)
            return outcome if before.missing else before
        checks.about(answer, order)
        so_far = amounts.fen(answer.get("refund_fee"))  # all refunds of the order, this one included
        if not refund.amount <= so_far <= order.amount:
            raise ProviderFault("Alipay answers about another amount")
        their_id = checks.text(answer, "trade_no")
        if checks.text(answer, "fund_change") == "Y":
            return Outcome(YES, words=outcomes.GIVEN_BACK, their_code="fund_change Y", their_id=their_id)
        # N: this call moved nothing, because an earlier one did, or because it is not through yet.
        return Outcome(WAITING, words=outcomes.REFUNDING, their_code="fund_change N", again=_OF_REFUND)


async def _within(work: Awaitable[T]) -> T:
    """The result within the limit. Raises ProviderFault."""
    try:
        return await asyncio.wait_for(work, LIMIT)
    except TimeoutError:
        raise ProviderFault("Alipay does not answer in time") from None
