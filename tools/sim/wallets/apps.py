# SPDX-License-Identifier: MIT
"""The apps of WeChat Pay and Alipay on a customer's phone: what they do goes into the books of the simulated services."""

import secrets

from tools.sim.alipay import METHODS
from tools.sim.alipay_books import CLOSED, WAITS
from tools.sim.wallets.app import (
    BACK,
    CANCELLED,
    LATE,
    NEWEST,
    PAID,
    PAYS,
    REFUSED,
    REFUSES,
    SILENT,
    WAITING,
    Item,
    PhoneError,
)
from tools.sim.wallets.services import WalletServices
from tools.sim.wechat import books as wechat_books


class WeChat:
    """See App. PAYS: a scanned customer pays at once; LATE: only once the shop undoes the payment."""

    def __init__(self, services: WalletServices) -> None:
        self._sim = services.wechat
        self.mood = PAYS

    def set_mood(self, mood: str) -> None:
        customers = {PAYS: wechat_books.PAYS, SILENT: wechat_books.PAYS, REFUSES: wechat_books.POOR}
        with self._sim.lock:
            self.mood, self._sim.is_silent = mood, mood == SILENT
            self._sim.books.customer = customers.get(mood, wechat_books.ASKS)
            self._sim.books.always_late = mood == LATE

    def code(self) -> str:
        return f"1{secrets.randbelow(6)}{secrets.randbelow(10**16):016}"

    def scan(self, text: str) -> str | None:
        head, _, order_id = text.partition("pr=")
        if head != "weixin://wxpay/bizpayurl?":
            return None
        with self._sim.lock:
            order = self._sim.books.scan(order_id)
            self._sim.on_change()
        if order is None:
            raise PhoneError("the code has expired")
        return order.number

    def pay(self, payment: str) -> None:
        with self._sim.lock:
            if payment not in self._sim.books.orders:
                raise PhoneError("no such payment")
            if self.mood == REFUSES:
                self._sim.books.refuse(payment)
            elif not self._sim.books.confirm(payment):
                raise PhoneError("too late")
            self._sim.on_change()

    def refuse(self, payment: str) -> None:
        with self._sim.lock:
            if self._state(payment) != WAITING:
                raise PhoneError("too late")
            self._sim.books.refuse(payment)
            self._sim.on_change()

    def items(self) -> list[Item]:
        with self._sim.lock:
            books = self._sim.books
            mine = [one for one in books.orders.values() if self._state(one.number)][-NEWEST:]
            found = [
                Item("wechat", one.number, one.made, one.amount, self._state(one.number), one.back) for one in mine
            ]
            found += _refused("wechat", books.refusals)
        return sorted(found, key=lambda item: -item.at)[:NEWEST]

    def close(self) -> None: ...

    def _state(self, number: str) -> str:
        """ "": the phone knows nothing of it. Call it with the lock held."""
        order = self._sim.books.orders.get(number)
        if order is None or order.kind == "NATIVE" and number not in self._sim.books.scanned:
            return ""
        if order.back:
            return BACK
        return {"SUCCESS": PAID, "PAYERROR": REFUSED, "CLOSED": CANCELLED, "REVOKED": CANCELLED}.get(
            order.state, WAITING
        )


class Alipay:
    """See App. Alipay has no word for a customer's no: the trade is closed. The phone remembers whose no it was."""

    def __init__(self, services: WalletServices) -> None:
        self._sim = services.alipay
        self._sim.on_call = self._before
        self._no: set[str] = set()
        self.mood = PAYS

    def set_mood(self, mood: str) -> None:
        with self._sim.lock:
            self.mood = mood
            self._sim.always = dict.fromkeys(METHODS.values(), "hang_before") if mood == SILENT else {}

    def code(self) -> str:
        return f"2{5 + secrets.randbelow(5)}{secrets.randbelow(10**16):016}"

    def scan(self, text: str) -> str | None:
        if not text.startswith("https://qr.alipay.com/bax"):
            return None
        with self._sim.lock:
            number = next((one for one in reversed(self._sim.books.codes) if text.endswith(one[-8:])), "")
            if not number or number not in self._sim.books.trades and not self._sim.books.scan(number):
                raise PhoneError("the code has expired")
            self._sim.on_change()
            return number

    def pay(self, payment: str) -> None:
        if self.mood == REFUSES:
            return self.refuse(payment)
        with self._sim.lock:
            if not self._sim.books.pay_now(payment):
                raise PhoneError("too late")
            self._sim.on_change()

    def refuse(self, payment: str) -> None:
        with self._sim.lock:
            trade = self._sim.books.trades.get(payment)
            if trade is None or self._state(payment) != WAITING:
                raise PhoneError("too late")
            trade.state = CLOSED
            self._no.add(payment)
            self._sim.on_change()

    def items(self) -> list[Item]:
        with self._sim.lock:
            books = self._sim.books
            mine = list(books.trades.values())[-NEWEST:]
            found = [
                Item("alipay", one.number, one.born, one.total, self._state(one.number), sum(one.refunds.values()))
                for one in mine
            ]
            found += _refused("alipay", books.refusals)
        return sorted(found, key=lambda item: -item.at)[:NEWEST]

    def close(self) -> None: ...

    def _state(self, number: str) -> str:
        self._sim.books.left(number)  # a trade whose time is over is closed now
        trade = self._sim.books.trades[number]
        if trade.refunds:
            return BACK
        if trade.state == CLOSED:
            return REFUSED if number in self._no else CANCELLED
        return WAITING if trade.state == WAITS else PAID

    def _before(self, call: str) -> None:
        """What the customer does just before a call has its effect. Called with the lock held."""
        poor = self.mood == REFUSES and call == "pay"  # showing a code is not refused
        pays = self.mood in (PAYS, SILENT)
        self._sim.books.customer = "ACQ.BUYER_BALANCE_NOT_ENOUGH" if poor else "pays" if pays else "confirms"
        if self.mood == LATE and call == "cancel":
            for trade in self._sim.books.trades.values():
                self._sim.books.pay_now(trade.number)


def _refused(wallet: str, refusals: list[tuple[int, int]]) -> list[Item]:
    """Codes that the wallet refused at once: no order was made of them."""
    newest = list(enumerate(refusals))[-NEWEST:]
    return [Item(wallet, f"refused-{number}", at, amount, REFUSED) for number, (at, amount) in newest]
