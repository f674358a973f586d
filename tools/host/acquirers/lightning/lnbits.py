# SPDX-License-Identifier: MIT
"""A wallet of an LNbits server (1.6 or later) as a provider: our code is an invoice, paid or expired.

Our reference is the server's `external_id`, by which every invoice of an order is found again, also if the answer that
brought it was lost. The server does not keep it unique: all that it finds counts.

What the server does, and this file has to know (LNbits 1.6.2, tried):
- An invoice whose time is over stays "pending", and another wallet of the same server can still pay it, until somebody
  asks about it: asking makes it "failed". So only "failed" ends an invoice, and only some time after its end, because
  the server marks it without asking its node.
- It has hold invoices, but the key that settles and cancels them can also spend, the answer does not tell a held payment
  from none, payments within one server are not held, and cancelling such a one takes it from the merchant's books alone.
  They are not used: what is paid is paid.
"""

import asyncio
import datetime
from collections.abc import Sequence
from typing import Any

from tools.host.acquirers import orders
from tools.host.acquirers.lightning import invoice, price
from tools.host.acquirers.lightning.line import Line, Reply
from tools.host.acquirers.lightning.words import outcome
from tools.host.acquirers.provider import DEADLINE, UNKNOWN, BillLine, Manners, Order, Outcome, Refund
from tools.host.errors import ProviderFault

GRACE = 60  # seconds after its end until an invoice that was not paid is believed to be closed
_SKEW = 60  # seconds that the server's clock may differ from ours
_SHOWN = 367  # bytes that a terminal can show as a QR Code (firmware, screens/qr.py)
_PAGE, _PAGES = 50, 200  # payments in one answer, and answers in one bill
_PATH = "/api/v1/payments"
_MARK = "kassa"  # our part of a payment's `extra`


class LNbits:
    """See Provider. `network`: of its invoices. `expiry`: seconds that one can be paid. `zone`: of the merchant's days."""

    def __init__(
        self, line: Line, rates: price.Price, network: str, expiry: int, memo: str, zone: datetime.tzinfo
    ) -> None:
        self._line, self._price = line, rates
        self._network, self._expiry, self._memo, self._zone = network, expiry, memo, zone
        self.manners = Manners(interval=3.0, shown_patience=expiry)

    async def pay(self, order: Order) -> Outcome:
        """Make the order's invoice, unless there is one."""
        if not order.is_shown or order.code:
            return outcome("no code")
        if order.currency != price.CNY:
            return outcome("currency")
        asked = self._price.asked(order.amount)
        if not asked:
            return outcome("small")
        known = await self.query(order)
        if not known.missing:
            return known
        body = {
            "out": False,
            "amount": asked,
            "unit": self._price.unit,
            "expiry": self._expiry,
            "memo": f"{self._memo} {order.reference[:8]}",
            "external_id": order.reference,
            "extra": {_MARK: {"amount": order.amount, "currency": order.currency}},
        }
        reply = await self._line.ask("POST", _PATH, body=body)
        if reply.status != 201:
            return _refused(reply)
        made = _Payment(reply.body, order)
        if made.status != "pending":
            raise ProviderFault("LNbits: a new invoice that is not open")
        return self._to_show(made, order)

    async def query(self, order: Order) -> Outcome:
        """What became of an order's invoice."""
        found = await self._find(order)
        if isinstance(found, Outcome):
            return found
        if not found:
            return outcome("missing")
        paid = _paid(found)
        if paid:
            self._check(paid, order)
            return outcome("success", paid.satoshi, their_id=paid.hash)
        open_ = next((one for one in found if one.hash == order.their_id), found[0])
        if open_.status == "pending":
            return self._to_show(open_, order)
        if _is_over(found):
            return outcome("failed", "expired", their_id=open_.hash)
        return outcome("pending", their_id=open_.hash)

    async def undo(self, order: Order) -> Outcome:
        """An invoice cannot be taken back: it is over when its time is, and nobody has paid it."""
        found = await self._find(order)
        if isinstance(found, Outcome):
            return found
        if not found:
            gone = outcome("closed")
            return Outcome(gone.answer, gone.code, gone.words, missing=True)  # nobody ever saw an invoice
        if _paid(found):
            return outcome("kept", "success")
        if _is_over(found):
            return outcome("closed", "expired")
        left = max(one.invoice.ends for one in found) + GRACE - orders.now() // 1000
        return outcome("open", found[0].status, again=max(3.0, left + 1.0))

    async def refund(self, refund: Refund) -> Outcome:
        """Never: the customer would have to scan a code (LNURL-withdraw), and our key cannot spend."""
        return outcome("no refund")

    async def query_refund(self, refund: Refund) -> Outcome:
        """See refund."""
        return outcome("no refund")

    async def bill(self, day: datetime.date) -> Sequence[BillLine] | None:
        """Invoices of that day that were paid, once none of them can be paid any more."""
        start, end = (
            datetime.datetime.combine(day + datetime.timedelta(days=later), datetime.time(), self._zone)
            for later in (0, 1)
        )
        if orders.now() < (end.timestamp() + self._expiry + GRACE) * 1000:
            return None
        try:
            async with asyncio.timeout(DEADLINE - 1):
                return await self._read_bill(start, end)
        except TimeoutError:
            raise ProviderFault("LNbits: the bill takes too long") from None

    async def close(self) -> None:
        """Nothing: each request has a connection of its own."""

    async def _read_bill(self, start: datetime.datetime, end: datetime.datetime) -> list[BillLine]:
        lines: list[BillLine] = []
        query = {"status": "success", "amount[gt]": "0", "time[ge]": _utc(start), "time[lt]": _utc(end)}
        query |= {"sortby": "time", "direction": "asc", "limit": str(_PAGE)}
        for page in range(_PAGES):
            rows, total = _page(
                await self._line.ask("GET", f"{_PATH}/paginated", query | {"offset": str(page * _PAGE)})
            )
            lines += [_bill_line(row) for row in rows if _is_ours(row)]
            if (page + 1) * _PAGE >= total:
                return lines
        raise ProviderFault("LNbits: more payments in a day than are read")

    async def _find(self, order: Order) -> "list[_Payment] | Outcome":
        """All invoices with our reference, in one order for everybody; or why there is no answer."""
        query = {"external_id": order.reference, "recheck_pending": "true", "limit": str(_PAGE)}
        reply = await self._line.ask("GET", f"{_PATH}/paginated", query)
        if reply.status != 200:
            refused = _refused(reply)
            return Outcome(UNKNOWN, words=refused.words, their_code=refused.their_code, again=refused.again)
        rows, total = _page(reply)
        found = sorted((_Payment(row, order) for row in rows), key=lambda one: one.hash)
        known = order.their_id or order.shown and invoice.read(order.shown.decode("ascii", "replace")).payment_hash
        if total != len(found) or known and known not in [one.hash for one in found]:
            raise ProviderFault("LNbits: the invoice that was shown is not there")
        return found

    def _to_show(self, one: "_Payment", order: Order) -> Outcome:
        self._check(one, order)
        if len(one.text) > _SHOWN:
            return outcome("long", their_id=one.hash)  # nobody sees it, so nobody can pay it
        return outcome("pending", one.satoshi, their_id=one.hash, shown=one.text.encode())

    def _check(self, one: "_Payment", order: Order) -> None:
        """That an invoice is what was asked for. Raises ProviderFault."""
        if order.shown.lower() == one.text.encode():
            return  # it was checked before it was shown
        if order.shown and invoice.read(order.shown.decode("ascii", "replace")).payment_hash == one.hash:
            raise ProviderFault("LNbits: the invoice changed")
        asked = one.invoice.network == self._network and one.invoice.expiry == self._expiry
        if not asked or not self._price.fits(order.amount, one.amount):
            raise ProviderFault("LNbits: not the invoice that was asked for")
        asked_at = order.asked_at.timestamp() - _SKEW
        if not asked_at <= one.invoice.made <= orders.now() / 1000 + _SKEW:
            raise ProviderFault("LNbits: an invoice of another time: one of the clocks is wrong")


class _Payment:
    """An incoming payment as the server tells it, of this order. Raises ProviderFault if it is anything else."""

    def __init__(self, row: Any, order: Order) -> None:
        _whole(row)
        self.status, self.text, self.hash, self.amount = (
            row["status"],
            row["bolt11"],
            row["payment_hash"],
            row["amount"],
        )
        self.invoice = invoice.read(self.text)
        mark = row["extra"].get(_MARK)
        if row["external_id"] != order.reference or mark != {"amount": order.amount, "currency": order.currency}:
            raise ProviderFault("LNbits: another order")
        if (self.invoice.payment_hash, self.invoice.amount) != (self.hash, self.amount):
            raise ProviderFault("LNbits: an invoice that is not the payment's")

    @property
    def satoshi(self) -> str:
        """For the merchant's page."""
        return f"{self.amount // 1000} sat"


def _whole(row: Any) -> None:
    """Check the types of a payment's fields."""
    texts = ("status", "bolt11", "payment_hash", "external_id")
    if not isinstance(row, dict) or not all(isinstance(row.get(name), str) for name in texts):
        raise ProviderFault("LNbits: no payment")
    if not isinstance(row.get("extra"), dict) or type(row.get("amount")) is not int or row["amount"] <= 0:
        raise ProviderFault("LNbits: no incoming payment")
    if row["status"] not in ("pending", "success", "failed"):
        raise ProviderFault("LNbits: an unknown state")


def _paid(found: list[_Payment]) -> _Payment | None:
    """The one that is paid."""
    paid = [one for one in found if one.status == "success"]
    if len(paid) > 1:
        raise ProviderFault("LNbits: the order is paid twice")
    return paid[0] if paid else None


def _is_over(found: list[_Payment]) -> bool:
    """Whether none of them can be paid any more."""
    return all(one.status == "failed" and orders.now() >= (one.invoice.ends + GRACE) * 1000 for one in found)


def _refused(reply: Reply) -> Outcome:
    """What a status that is no success means."""
    said = reply.body.get("status") if isinstance(reply.body, dict) else None
    found = outcome(f"{reply.status} {said}" if reply.status == 520 else str(reply.status))
    if not found.words.en:
        raise ProviderFault(f"LNbits: HTTP {reply.status}")
    return found


def _page(reply: Reply) -> tuple[list[Any], int]:
    """The rows of a page, and how many there are in all."""
    body = reply.body if isinstance(reply.body, dict) else {}
    rows, total = body.get("data"), body.get("total")
    if reply.status != 200 or not isinstance(rows, list) or type(total) is not int:
        raise ProviderFault(f"LNbits: no list of payments (HTTP {reply.status})")
    return rows, total


def _is_ours(row: Any) -> bool:
    """Whether an incoming payment is an order of a terminal; a wallet may have others."""
    return isinstance(row, dict) and isinstance(row.get("extra"), dict) and _MARK in row["extra"]


def _bill_line(row: Any) -> BillLine:
    _whole(row)
    mark = row["extra"][_MARK]
    amount = mark.get("amount") if isinstance(mark, dict) else None
    if type(amount) is not int or amount <= 0 or type(row.get("fee")) is not int:
        raise ProviderFault("LNbits: a payment without our amount")
    return BillLine(row["external_id"], amount, price.fee(amount, abs(row["fee"]), row["amount"]), row["payment_hash"])


def _utc(at: datetime.datetime) -> str:
    """A time with its zone: without one the server takes it for its own local time."""
    return at.astimezone(datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
