# SPDX-License-Identifier: MIT
"""WeChat Pay as a wallet (acquirers/provider.py). What is certain is what a query says; a refusal is confirmed by one.

A customer's code (codepay) is undone by a reversal: from 15 s after the payment, for seven days. A code that is shown
(native) is undone by closing the order. Whatever was paid all the same is refunded in full, as ORDER-undo.
Source: pay.weixin.qq.com/doc/v2/merchant/4011937125 for the times, and the pages named in codes.py.
"""

import asyncio
import datetime
import re
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tools.host.acquirers import orders
from tools.host.acquirers.provider import NO, UNKNOWN, WAITING, YES, BillLine, Manners, Order, Outcome, Refund, Words
from tools.host.acquirers.wechat import bill, checks, codes
from tools.host.acquirers.wechat.api import Api, Said, WeChatPayType
from tools.host.acquirers.wechat.line import BILLS
from tools.host.errors import ProviderFault
from tools.host.wire import answers

SPAN = 11.0  # seconds for all requests of one call; less than provider.DEADLINE
BILL_SPAN = 60.0  # seconds for a bill
_WEEK = 7 * 86_400_000  # ms
_ON_ITS_WAY = 60_000  # ms: an order that is not there may still arrive
_EXPIRES = datetime.timedelta(minutes=10)  # after which nobody can pay a code that is shown
_BEIJING = datetime.timezone(datetime.timedelta(hours=8))
_BILL_READY = datetime.time(10)  # next day, Beijing
_CODE_URL = re.compile(r"weixin://[!-~]{1,200}")
_ONLY_YUAN = Words("WeChat Pay takes yuan only", "微信支付仅支持人民币")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shop:
    """`store`: the shop's own number. `description`: what the customer sees on the bill."""

    store: str
    description: str


class WeChatPay:
    """See acquirers.provider.Provider."""

    manners = Manners(interval=5.0, patience=45.0, shown_patience=120.0, undo_after=15.0)

    def __init__(self, api: Api, shop: Shop) -> None:
        self._api, self._shop = api, shop

    async def pay(self, order: Order) -> Outcome:
        """Ask for an order."""
        if order.currency != checks.CURRENCY:
            return Outcome(NO, answers.INVALID, _ONLY_YUAN)
        return await _within(SPAN, self._show(order) if order.is_shown else self._pay(order))

    async def query(self, order: Order) -> Outcome:
        """What became of it."""
        return await _within(SPAN, self._query(order))

    async def undo(self, order: Order) -> Outcome:
        """It comes to nothing. Called no sooner than manners.undo_after."""
        return await _within(SPAN, self._undo(order))

    async def refund(self, refund: Refund) -> Outcome:
        """Give money back."""
        return await _within(SPAN, self._refund(refund))

    async def query_refund(self, refund: Refund) -> Outcome:
        """What became of a refund."""
        return await _within(SPAN, self._query_refund(refund))

    async def bill(self, day: datetime.date) -> Sequence[BillLine] | None:
        """The trade bill of a day, which is there from 10:00 of the next day on. Amounts are those that were asked for."""
        return await _within(BILL_SPAN, self._bill(day))

    def hint(self, headers: Mapping[str, str], body: bytes) -> str:
        """The reference, of an order or a refund, that a notification is about. It proves nothing: query then.

        Raises ProviderFault for one that is not WeChat Pay's, or is older than five minutes.
        """
        found = self._api.notice(headers, body)
        reference = found.get("out_refund_no", found.get("out_trade_no"))
        if not isinstance(reference, str):
            raise ProviderFault("a notification without a number")
        return reference.removesuffix(bill.UNDO)

    async def close(self) -> None:
        """End all connections."""
        await self._api.close()

    async def _pay(self, order: Order) -> Outcome:
        said = await self._api.pay(
            WeChatPayType.CODEPAY,
            description=self._shop.description,
            out_trade_no=order.reference,
            amount={"total": order.amount, "currency": order.currency},
            payer={"auth_code": order.code},
            scene_info={"store_info": {"out_id": self._shop.store}},
        )
        return checks.order(self._api.keys, order, said.data) if said.is_done else await self._refused(order, said)

    async def _show(self, order: Order) -> Outcome:
        expires = (order.asked_at + _EXPIRES).astimezone(_BEIJING)
        said = await self._api.pay(
            WeChatPayType.NATIVE,
            description=self._shop.description,
            out_trade_no=order.reference,
            amount={"total": order.amount, "currency": order.currency},
            time_expire=expires.isoformat(timespec="seconds"),
        )
        if not said.is_done:
            return await self._refused(order, said)
        url = said.data.get("code_url")
        if not isinstance(url, str) or not _CODE_URL.fullmatch(url):
            raise ProviderFault("an answer without a code to show")
        return codes.Row(WAITING, codes.SCAN, "a").outcome("", shown=url.encode())

    async def _refused(self, order: Order, said: Said) -> Outcome:
        """What an error of a new order means. A certain no is none if an earlier request for it did better."""
        row = codes.row(codes.PAY, said.code)
        if row.answer != NO:
            return row.outcome(said.code)
        found = await self._api.query(order.reference)
        if found.is_missing(codes.ORDER_MISSING):
            return row.outcome(said.code)
        if not found.is_done:
            return _unclear(found)
        outcome = checks.order(self._api.keys, order, found.data)
        return row.outcome(said.code) if outcome.answer == NO or outcome.their_code == "NOTPAY" else outcome

    async def _query(self, order: Order) -> Outcome:
        found = await self._api.query(order.reference)
        if found.is_missing(codes.ORDER_MISSING):
            return Outcome(UNKNOWN, their_code=found.code, missing=True)
        if not found.is_done:
            return _unclear(found)
        outcome = checks.order(self._api.keys, order, found.data)
        if order.is_shown and not order.shown and outcome.their_code == "NOTPAY":
            return await self._show(order)  # the same request again gives the same code
        return outcome

    async def _undo(self, order: Order) -> Outcome:
        age = orders.now() - int(order.asked_at.timestamp() * 1000)
        is_reversed = gives_back = False
        if order.is_shown:
            await self._api.close_order(order.reference)  # says done for whatever number; the query decides
            gives_back = True
        elif age >= _WEEK:
            gives_back = True
        else:
            said = await self._api.reverse(order.reference)
            is_reversed = said.is_done and checks.reversal(self._api.keys, order, said.data)
            gives_back = not said.is_done and codes.refuses_reversal(said.code)
        found = await self._api.query(order.reference)
        if found.is_missing(codes.ORDER_MISSING):
            return Outcome(
                YES if age >= _ON_ITS_WAY else UNKNOWN, their_code=found.code, missing=True, again=codes.SOON
            )
        if not found.is_done:
            return _unclear(found)
        outcome = checks.order(self._api.keys, order, found.data)
        state = outcome.their_code
        if state in ("CLOSED", "REVOKED", "PAYERROR") or is_reversed and state == "REFUND":
            return Outcome(YES, their_code=state, their_id=outcome.their_id)
        if gives_back and state == "SUCCESS" or state == "REFUND":
            return await self._give_all_back(order, state)
        return Outcome(WAITING, their_code=state, their_id=outcome.their_id, again=codes.SOON)

    async def _give_all_back(self, order: Order, state: str) -> Outcome:
        """Refund an order in full. If money went back before, and not by us, a refusal proves nothing."""
        refund = Refund(order.reference + bill.UNDO, order, order.amount)
        outcome = await self._query_refund(refund)
        if outcome.missing:
            outcome = await self._refund(refund)
        empty = codes.plain(outcome.their_code) == "NOTENOUGH"  # the merchant's balance, which fills again
        if outcome.answer == NO and (state == "REFUND" or empty):
            words = outcome.words if empty else codes.BY_HAND
            return Outcome(UNKNOWN, words=words, their_code=outcome.their_code, again=codes.LATER)
        return outcome

    async def _refund(self, refund: Refund) -> Outcome:
        amount = {"refund": refund.amount, "total": refund.order.amount, "currency": checks.CURRENCY}
        said = await self._api.refund(refund.reference, refund.order.reference, amount)
        if said.is_done:
            return checks.refund(refund, said.data)
        row = codes.row(codes.REFUND, said.code)
        if row.answer != NO:
            return row.outcome(said.code)
        outcome = await self._query_refund(refund)
        return row.outcome(said.code) if outcome.missing else outcome

    async def _query_refund(self, refund: Refund) -> Outcome:
        found = await self._api.query_refund(refund.reference)
        if found.is_missing(codes.REFUND_MISSING):
            return Outcome(UNKNOWN, their_code=found.code, missing=True)
        return checks.refund(refund, found.data) if found.is_done else _unclear(found)

    async def _bill(self, day: datetime.date) -> Sequence[BillLine] | None:
        said = await self._api.bill(day.isoformat())
        if not said.is_done:
            return _no_bill(day, said)
        url, kind, hash_ = (said.data.get(name) for name in ("download_url", "hash_type", "hash_value"))
        if kind != "SHA1" or not isinstance(hash_, str) or not isinstance(url, str):
            raise ProviderFault("an answer without a bill")
        if not url.startswith(self._api.url + BILLS):
            raise ProviderFault("a bill at another address")
        packed = await self._api.download(url)
        return await asyncio.to_thread(lambda: bill.parse(bill.unpack(packed, hash_), self._api.keys))


def _no_bill(day: datetime.date, said: Said) -> Sequence[BillLine] | None:
    """None: not yet. A day on which nothing happened has no bill, which is certain only once bills are made."""
    code = codes.plain(said.code)
    ready = datetime.datetime.combine(day + datetime.timedelta(days=1), _BILL_READY, _BEIJING)
    if code == codes.BILL_MISSING and orders.now() >= int(ready.timestamp()) * 1000:
        return []
    if code in (codes.BILL_MISSING, codes.BILL_CREATING):
        return None
    raise ProviderFault(f"no bill: {said.code}")


def _unclear(said: Said) -> Outcome:
    """A query that was not answered says nothing, whatever its code."""
    row = codes.row(codes.PAY, said.code)
    words = row.words if row.answer == UNKNOWN else Words()
    return Outcome(UNKNOWN, words=words, their_code=said.code, again=row.again or codes.SOON)


async def _within(seconds: float, work: Awaitable[T]) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise ProviderFault("no answer in time") from None
