# SPDX-License-Identifier: MIT
"""Undoing an order at Alipay: alipay.trade.cancel, and a refund in full where that comes too late.

When is nothing paid, and can nothing be paid any more?
- `action` close or refund: the trade is there, and it is closed. Its order number is used up.
- No `action`: Alipay has no trade of this number, and has stored nothing. A customer's code may still be on its way
  there; the caller believes that only after a minute (`missing`), and the code itself lives for about one.
- A code of ours that was shown is another matter: the trade begins when a customer scans it, so there is none to
  cancel before. Users report that Alipay refuses a code whose order was closed early, but it documents no such thing.
  What it documents is that a code cannot be scanned once qr_code_timeout_express is over, counted from when it was
  made. So an undo of it waits until then, and cancels once more: whoever scanned meanwhile has a trade, which is closed
  or refunded by that; if there still is none, there never will be.
- A code of ours that Alipay's answer never brought here was seen by nobody.
"""

from typing import Any

from tools.host.acquirers import orders
from tools.host.acquirers.alipay import amounts, checks, outcomes
from tools.host.acquirers.alipay.gateway import Gateway
from tools.host.acquirers.provider import DEADLINE, NO, UNKNOWN, WAITING, YES, Order, Outcome
from tools.host.errors import ProviderFault

QR_MINUTES = 2  # qr_code_timeout_express, in whole minutes; also how long the core shows the code (shown_patience)
_SCANNABLE = QR_MINUTES * 60 + DEADLINE + 30.0  # seconds after an order was asked; 30: of a clock that is set meanwhile
_CANCEL_WITHIN = 24 * 3600.0  # seconds; "a refund after that"
_OF_REFUND = 10.0  # seconds: "not sooner than 10 s after the refund"
SUFFIX = "u"  # after the order's number: the number of the refund that undoes it


async def undo(gateway: Gateway, order: Order) -> Outcome:
    """See provider.Provider.undo. Raises ProviderFault."""
    age = orders.now() / 1000 - order.asked_at.timestamp()
    if age < _CANCEL_WITHIN:
        answer = await gateway.ask("alipay.trade.cancel", {"out_trade_no": order.reference})
        decided = _cancelled(answer, order)
        if decided:
            return decided
    return await _by_state(gateway, order, age)


def _cancelled(answer: dict[str, Any], order: Order) -> Outcome | None:
    """What a cancel came to; None: the trade itself has to be looked at."""
    if answer.get("code") != outcomes.DONE:
        sub = outcomes.sub_code(answer)
        checks.about(answer, order, must=False)
        return None if sub in outcomes.ASK_STATE else outcomes.of(answer, outcomes.CANCEL)
    checks.about(answer, order)
    again, action = checks.text(answer, "retry_flag"), checks.text(answer, "action")
    if again == "Y":
        return Outcome(WAITING, words=outcomes.UNDOING, their_code="retry_flag Y")
    if action in ("close", "refund"):
        return Outcome(YES, their_code=action, their_id=checks.text(answer, "trade_no"))
    if action:
        raise ProviderFault("a cancel that did something unknown")
    return None


async def _by_state(gateway: Gateway, order: Order, age: float) -> Outcome:
    answer = await gateway.ask("alipay.trade.query", {"out_trade_no": order.reference})
    if outcomes.sub_code(answer) == outcomes.NOT_EXIST:
        checks.about(answer, order, must=False)
        if not order.shown:
            return Outcome(YES, their_code=outcomes.NOT_EXIST, missing=True)
        left = _SCANNABLE - age
        if left > 0:
            again = min(left, 30.0)
            return Outcome(WAITING, words=outcomes.STILL_SCANNABLE, their_code=outcomes.NOT_EXIST, again=again)
        return Outcome(YES, their_code=outcomes.NOT_EXIST)
    if answer.get("code") != outcomes.DONE:
        return outcomes.of(answer, outcomes.QUERY)
    checks.about(answer, order)
    checks.amount(answer, "total_amount", order.amount)
    state, their_id = checks.text(answer, "trade_status"), checks.text(answer, "trade_no")
    if state == "TRADE_CLOSED":
        return Outcome(YES, their_code=state, their_id=their_id)
    if state == "TRADE_FINISHED":
        return outcomes.CANCEL["ACQ.TRADE_HAS_FINISHED"].outcome(state)
    if state == "TRADE_SUCCESS":
        return await _refund_all(gateway, order)
    if state == "WAIT_BUYER_PAY":  # it is cancelled again: the customer may pay until then
        return Outcome(WAITING, words=outcomes.UNDOING, their_code=state, their_id=their_id)
    raise ProviderFault("a trade in an unknown state")


async def _refund_all(gateway: Gateway, order: Order) -> Outcome:
    """Give a paid order back whose cancel comes too late. Its number makes that happen once."""
    number = order.reference + SUFFIX
    answer = await gateway.ask(
        "alipay.trade.refund",
        {"out_trade_no": order.reference, "refund_amount": amounts.yuan(order.amount), "out_request_no": number},
    )
    if answer.get("code") == outcomes.DONE:
        checks.about(answer, order)
        checks.amount(answer, "refund_fee", order.amount)
        if checks.text(answer, "fund_change") == "Y":
            return Outcome(YES, their_code="refund", their_id=checks.text(answer, "trade_no"))
        return await refunded(gateway, order, number, order.amount)
    checks.about(answer, order, must=False)
    sub = outcomes.sub_code(answer)
    if sub == outcomes.HAS_CLOSE:  # the next query says so too
        return Outcome(WAITING, words=outcomes.UNDOING, their_code=sub)
    outcome = outcomes.of(answer, outcomes.REFUND)
    if outcome.answer == NO and sub in outcomes.CANCEL:  # ... and a cancel would wait for the shop
        return outcomes.CANCEL[sub].outcome(sub)
    return outcome


async def refunded(gateway: Gateway, order: Order, number: str, amount: int) -> Outcome:
    """What became of the refund `number` of an order. YES, or UNKNOWN and `missing`. Raises ProviderFault."""
    answer = await gateway.ask(
        "alipay.trade.fastpay.refund.query", {"out_trade_no": order.reference, "out_request_no": number}
    )
    if answer.get("code") != outcomes.DONE:
        checks.about(answer, order, must=False)
        return outcomes.of(answer, outcomes.REFUND_QUERY)
    status = checks.text(answer, "refund_status")
    if not status:  # "not returned: the refund did not arrive, or failed"
        checks.about(answer, order, must=False)
        return Outcome(UNKNOWN, words=outcomes.REFUNDING, missing=True, again=_OF_REFUND)
    checks.about(answer, order)
    if checks.text(answer, "out_request_no") != number:
        raise ProviderFault("Alipay answers about another refund")
    checks.amount(answer, "refund_amount", amount)
    if status != "REFUND_SUCCESS":
        return Outcome(WAITING, words=outcomes.REFUNDING, their_code=status[:40], again=_OF_REFUND)
    return Outcome(YES, words=outcomes.GIVEN_BACK, their_code=status, their_id=checks.text(answer, "trade_no"))
