# SPDX-License-Identifier: MIT
"""The books of a simulated Alipay: trades, codes to scan, refunds and fees, in fen. Each method is one of its API.

Error codes are those of its documentation. What is not documented is decided against the host: a trade that is cancelled
twice has no `action` the second time, and cancelling what does not exist yet keeps nobody from paying it later.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

WAITS, PAID, CLOSED, FINISHED = "WAIT_BUYER_PAY", "TRADE_SUCCESS", "TRADE_CLOSED", "TRADE_FINISHED"
_DAY = 24 * 3600 * 1000
_FEE = 60  # basis points

Content = dict[str, Any]
Node = dict[str, Any]


@dataclass
class Trade:
    """`born`: ms. `refunds`: fen by request number; `pending`: refunds that were taken and moved no money yet."""

    number: str
    trade_no: str
    total: int
    born: int
    lives: int
    state: str = WAITS
    refunds: dict[str, int] = field(default_factory=dict)
    pending: dict[str, int] = field(default_factory=dict)

    @property
    def left(self) -> int:
        """fen that the customer paid and did not get back."""
        return self.total - sum(self.refunds.values()) if self.state in (PAID, FINISHED) or self.refunds else 0


@dataclass(frozen=True)
class Entry:
    """A line of the bill. `kind`: 交易 or 退款. `amount` and `fee` as the bill prints them: a refund is negative."""

    at: int
    kind: str
    trade: Trade
    request: str
    amount: int
    fee: int


class Books:
    """`clock`: ms since 1970. `customer`: "pays" at once, "confirms" (waits for `pay_now`), or a sub_code that refuses."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.clock = clock
        self.customer = "pays"
        self.refunds_wait = self.is_broke = False
        self.knows_refunds_of_closed = True  # False: a refund is not repeated once the trade is closed, but refused
        self.cancels_later = 0  # so many cancels only say that they have to be repeated (retry_flag Y)
        self.trades: dict[str, Trade] = {}
        self.codes: dict[str, tuple[int, int, int]] = {}  # order number -> fen, ms until it can be scanned, life
        self.used: set[str] = set()
        self.entries: list[Entry] = []
        self.refusals: list[tuple[int, int]] = []  # (ms, fen) of codes that were refused

    # -- what customers and the merchant do
    def pay_now(self, number: str) -> bool:
        """The customer confirms. False: too late, the trade is closed."""
        trade = self._trade(number)
        if trade is None or trade.state != WAITS:
            return False
        self._paid(trade)
        return True

    def scan(self, number: str) -> bool:
        """A customer scans our code and gets the trade on the phone. False: the code has expired, or is used up."""
        fen, until, life = self.codes[number]
        if number not in self.trades and self.clock() < until:
            self._new(number, fen, life)
            return True
        return False

    def settle_refunds(self) -> None:
        """Pending refunds move their money."""
        for trade in self.trades.values():
            for request, amount in list(trade.pending.items()):
                del trade.pending[request]
                self._refunded(trade, request, amount)

    def left(self, number: str) -> int:
        """fen of an order that the merchant has and keeps."""
        trade = self._trade(number)
        return trade.left if trade else 0

    def balance(self) -> int:
        """fen that the merchant's account grew by, fees paid."""
        return sum(entry.amount + entry.fee for entry in self.entries)

    # -- the API
    def pay(self, content: Content) -> Node:
        number, fen = content["out_trade_no"], _fen(content.get("total_amount"))
        if content.get("scene") != "bar_code" or not re.fullmatch("[0-9]{16,24}", content.get("auth_code", "")):
            return _no("ACQ.INVALID_PARAMETER")
        if fen is None or not content.get("subject"):
            return _no("ACQ.INVALID_PARAMETER")
        trade = self._trade(number)
        if trade is None:
            if self.customer.startswith("ACQ."):
                self.refusals.append((self.clock(), fen))
                return _no(self.customer, out_trade_no=number)
            if content["auth_code"] in self.used:
                return _no("ACQ.PAYMENT_AUTH_CODE_INVALID")
            self.used.add(content["auth_code"])
            trade = self._new(number, fen, _life(content))
            if self.customer == "pays":
                self._paid(trade)
                return _yes(**_about(trade), receipt_amount=yuan(fen), buyer_logon_id="csq***@sandbox.com")
        elif trade.total != fen:
            return _no("ACQ.CONTEXT_INCONSISTENT")
        elif trade.state != WAITS:
            return _no("ACQ.TRADE_HAS_CLOSE" if trade.state == CLOSED else "ACQ.TRADE_HAS_SUCCESS")
        return _about(trade) | {"code": "10003", "msg": " order success pay inprocess", "receipt_amount": "0.00"}

    def precreate(self, content: Content) -> Node:
        number, fen = content["out_trade_no"], _fen(content.get("total_amount"))
        if fen is None or not content.get("subject"):
            return _no("ACQ.INVALID_PARAMETER")
        if self.customer.startswith("ACQ."):
            return _no(self.customer, out_trade_no=number)
        if self._trade(number):
            return _no("ACQ.CONTEXT_INCONSISTENT")
        minutes = int(content.get("qr_code_timeout_express", "120m").rstrip("m"))
        self.codes[number] = fen, self.clock() + minutes * 60_000, _life(content)
        return _yes(out_trade_no=number, qr_code=f"https://qr.alipay.com/bax{len(self.codes):05}{number[-8:]}")

    def query(self, content: Content) -> Node:
        trade = self._trade(content["out_trade_no"])
        return _yes(**_about(trade), trade_status=trade.state) if trade else _no("ACQ.TRADE_NOT_EXIST")

    def cancel(self, content: Content) -> Node:
        number = content["out_trade_no"]
        trade = self._trade(number)
        if self.cancels_later:
            self.cancels_later -= 1
            return _yes(out_trade_no=number, retry_flag="Y")
        done = _yes(out_trade_no=number, retry_flag="N")
        if trade is None or trade.state == CLOSED:
            return done
        if trade.state == FINISHED:
            return _no("ACQ.TRADE_HAS_FINISHED", out_trade_no=number, retry_flag="N")
        if self.clock() - trade.born >= _DAY:
            return _no("ACQ.TRADE_CANCEL_TIME_OUT", out_trade_no=number, retry_flag="N")
        if trade.state == WAITS:
            trade.state = CLOSED
            return done | {"trade_no": trade.trade_no, "action": "close"}
        if trade.refunds or trade.pending:
            return _no("ACQ.REASON_TRADE_REFUND_FEE_ERR", out_trade_no=number, retry_flag="N")
        if self.is_broke:
            return _no("ACQ.SELLER_BALANCE_NOT_ENOUGH", out_trade_no=number, retry_flag="Y")
        self._refunded(trade, number, trade.total)
        return done | {"trade_no": trade.trade_no, "action": "refund"}

    def refund(self, content: Content) -> Node:
        trade, fen = self._trade(content["out_trade_no"]), _fen(content.get("refund_amount"))
        request = content.get("out_request_no") or content["out_trade_no"]
        if trade is None:
            return _no("ACQ.TRADE_NOT_EXIST")
        if not fen:
            return _no("ACQ.INVALID_PARAMETER")
        before = (trade.refunds | trade.pending).get(request)
        if trade.state == CLOSED and not self.knows_refunds_of_closed:
            before = None
        if before is None:
            taken = sum(trade.refunds.values()) + sum(trade.pending.values())
            if trade.state != PAID:
                wrong = {WAITS: "ACQ.TRADE_STATUS_ERROR", FINISHED: "ACQ.TRADE_HAS_FINISHED"}
                return _no(wrong.get(trade.state, "ACQ.TRADE_HAS_CLOSE"))
            if taken + fen > trade.total:
                return _no("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
            if self.is_broke:
                return _no("ACQ.SELLER_BALANCE_NOT_ENOUGH")
            if self.refunds_wait:
                trade.pending[request] = fen
            else:
                self._refunded(trade, request, fen)
        elif before != fen:
            return _no("ACQ.DISCORDANT_REPEAT_REQUEST")
        moved = before is None and request in trade.refunds
        so_far = sum(trade.refunds.values()) + sum(trade.pending.values())
        who = {"out_trade_no": trade.number, "trade_no": trade.trade_no}
        return _yes(**who, refund_fee=yuan(so_far), fund_change="Y" if moved else "N")

    def refund_query(self, content: Content) -> Node:
        trade = self._trade(content["out_trade_no"])
        if trade is None:
            return _no("ACQ.TRADE_NOT_EXIST")
        request = content["out_request_no"]
        if request not in trade.refunds:
            return _yes()
        about = {**_about(trade), "out_request_no": request, "refund_amount": yuan(trade.refunds[request])}
        return _yes(**about, refund_status="REFUND_SUCCESS")

    def _trade(self, number: str) -> Trade | None:
        trade = self.trades.get(number)
        if trade and trade.state == WAITS and self.clock() >= trade.born + trade.lives:
            trade.state = CLOSED
        return trade

    def _new(self, number: str, fen: int, lives: int) -> Trade:
        trade = Trade(number, f"20261129220014{len(self.trades):014}", fen, self.clock(), lives)
        self.trades[number] = trade
        return trade

    def _paid(self, trade: Trade) -> None:
        trade.state = PAID
        self.entries.append(Entry(self.clock(), "交易", trade, "", trade.total, -_fee(trade.total)))

    def _refunded(self, trade: Trade, request: str, fen: int) -> None:
        before = _fee(trade.total - sum(trade.refunds.values()))
        trade.refunds[request] = fen
        back = before - _fee(trade.total - sum(trade.refunds.values()))
        if trade.left == 0:
            trade.state = CLOSED
        self.entries.append(Entry(self.clock(), "退款", trade, request, -fen, back))


def yuan(fen: int) -> str:
    """fen, also negative, as Alipay prints them."""
    return f"{'-' * (fen < 0)}{abs(fen) // 100}.{abs(fen) % 100:02}"


def _fen(text: object) -> int | None:
    found = re.fullmatch(r"([0-9]{1,9})\.([0-9]{2})", text) if isinstance(text, str) else None
    return int(found[1] + found[2]) or None if found else None


def _fee(fen: int) -> int:
    return (fen * _FEE + 5000) // 10_000


def _life(content: Content) -> int:
    return int(content.get("timeout_express", "3m").rstrip("m")) * 60_000


def _about(trade: Trade) -> Node:
    return {"out_trade_no": trade.number, "trade_no": trade.trade_no, "total_amount": yuan(trade.total)}


def _yes(**fields: str) -> Node:
    return {"code": "10000", "msg": "Success", **fields}


def _no(sub_code: str, **fields: str) -> Node:
    return {"code": "40004", "msg": "Business Failed", "sub_code": sub_code, "sub_msg": "失败", **fields}
