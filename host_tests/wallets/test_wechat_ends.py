# SPDX-License-Identifier: MIT
"""WeChat Pay behind the host's wallets: each transaction under each failure ends paid once or not at all, and the host's
row and the service's books agree to the fen.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.wallets.wechat import CODE, Shop
from tools.host.acquirers import orders
from tools.host.acquirers.wallets import Wallet, Wallets
from tools.host.acquirers.wechat import line
from tools.host.errors import IssuerFault
from tools.host.outside.issuer import Decision
from tools.host.outside.wallet import Order, Return, Revocation
from tools.host.store.ledger import Ledger
from tools.host.wire import answers, kinds
from tools.sim.wechat import books, moods

TID, MID, AMOUNT, BACK = "KASSA001", "898000000000001", 1250, 450
UID, BACK_UID = (1).to_bytes(16), (2).to_bytes(16)
REFERENCE = UID.hex()
REVERSED = Revocation(TID, UID, MID, AMOUNT, kinds.QR_SCANNED)  # the order is known, so its row says what it is
CODES, SHOWN, REFUND = "a customer's code", "our code shown", "a refund"


class Till:
    """A terminal, its host's wallets and the time of all, which passes when the till waits."""

    def __init__(self, shop: Shop, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shop, self.ledger = shop, ledger
        self.at = orders.now()
        monkeypatch.setattr(orders, "now", lambda: self.at)
        shop.books.now = lambda: self.at
        self.wallets = self.restart()

    def restart(self) -> Wallets:
        """The host's process is new; the ledger is not."""
        self.shop.run(self.shop.provider.close())
        self.shop.provider = self.shop.make()
        self.wallets = Wallets(self.ledger, [Wallet("wechat", "wechat", self.shop.provider)])
        return self.wallets

    def wait(self, seconds: int) -> None:
        self.at += seconds * 1000
        self.shop.run(self.wallets.tend())

    def ask(self, kind: str) -> Decision:
        return self.shop.run(self.call(kind)())

    def call(self, kind: str) -> Callable[[], Coroutine[Any, Any, Decision]]:
        """A transaction as the host asks for it."""
        if kind == REFUND:
            return lambda: self.wallets.give_back(Return(TID, BACK_UID, TID, UID, BACK, MID, "0156"))
        return lambda: self.wallets.pay(Order(TID, UID, AMOUNT, MID, "0156", CODE if kind == CODES else ""))

    def revoke(self) -> bool:
        with suppress(IssuerFault):
            self.shop.run(self.wallets.revoke(REVERSED))
            return True
        return False

    def killed(self, call: str, work: Callable[[], Any], after: bool) -> None:
        """The process ends in the middle of a call: WeChat Pay has done it or not, and the answer is never stored."""

        async def die() -> None:
            task = asyncio.ensure_future(work())
            while call not in (self.shop.sim.done if after else self.shop.sim.calls):
                await asyncio.sleep(0.001)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

        self.shop.sim.will(moods.HANGS, call, after)
        self.shop.run(die())
        self.restart()

    def row(self, refund: bool = False) -> Any:
        with self.ledger.read() as db:
            return orders.refund_of(db, TID, BACK_UID) if refund else orders.find(db, TID, UID)


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that has been migrated once for all tests."""
    path = tmp_path_factory.mktemp("wechat") / "host.db"
    Ledger(path).close()
    return path


@pytest.fixture
def till(empty: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    shop, ledger = Shop(), Ledger(Path(shutil.copy(empty, tmp_path)))
    till = Till(shop, ledger, monkeypatch)
    yield till
    shop.close()
    ledger.close()


CALL = {CODES: "codepay", SHOWN: "native", REFUND: "refund"}
UNDO = {CODES: "reverse", SHOWN: "close"}
FAILURES = {
    "timeout before": (moods.HANGS, False), "timeout after": (moods.HANGS, True),
    "reset before": (moods.RESET, False), "reset after": (moods.RESET, True),
    "5xx before": (moods.BROKEN, False), "5xx after": (moods.BROKEN, True),
    "system error before": (moods.BUSY, False), "system error after": (moods.BUSY, True),
    "frequency limit": (moods.OFTEN, False), "unknown": (moods.HTML, True), "forged": (moods.FORGED, True),
    "another order": (moods.ORDER, True), "wrong amount": (moods.AMOUNT, True), "cut": (moods.CUT, True),
    "killed before": ("", False), "killed after": ("", True),
}  # fmt: skip
REPEATS, REVERSES = "the till repeats", "the till reverses"
LATER, NEVER = "confirms later", "never confirms"
PAYMENTS = [
    (kind, customer, ending)
    for kind, customers in ((CODES, ("pays", LATER, NEVER)), (SHOWN, (LATER, NEVER)))
    for customer in customers
    for ending in (REPEATS, REVERSES)
]


def fail(till: Till, name: str, call: str, work: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask once, and fail."""
    mood, after = FAILURES[name]
    if not mood:
        till.killed(call, work, after)
        return
    with monkeypatch.context() as patch:
        if mood == moods.HANGS:
            patch.setattr(line, "LIMIT", 0.1)
        till.shop.sim.will(mood, call, after)
        with suppress(IssuerFault):
            till.shop.run(work())


def customer_acts(till: Till) -> None:
    """The customer confirms, or scans the code if the till shows one."""
    row, known = till.row(), till.shop.books.orders.get(REFERENCE)
    if known is not None and (known.kind == "MICROPAY" or row.shown):
        till.shop.books.confirm(REFERENCE)


def run_to_end(till: Till, kind: str, customer: str, ending: str) -> None:
    """Until there is a final word: the till asks again every five seconds, or reverses what it has no answer to."""
    for step in range(1, 60):
        till.at += 5000
        if step >= 3 and customer == LATER:
            customer_acts(till)
        if ending == REVERSES:
            if till.revoke():
                return
        elif till.ask(kind).code not in answers.NOT_FINAL:
            return
        till.wait(0)
    raise AssertionError("no end")


def judge(till: Till, ending: str) -> str:
    """The host's row and WeChat Pay's books say the same. Returns the state."""
    row, held = till.row(), till.shop.books.held(REFERENCE)
    assert len(till.shop.books.payments) <= 1 and till.shop.books.rude == []
    assert (row.state, held) in (("PAID", AMOUNT), ("REFUSED", 0), ("UNDONE", 0))
    assert ending != REVERSES or row.state in ("UNDONE", "REFUSED")
    if held == 0 and REFERENCE in till.shop.books.orders:
        assert not till.shop.books.confirm(REFERENCE)  # and nobody can pay it any more
    lines = till.shop.books.lines
    assert sum(each.amount if each.state == "SUCCESS" else -each.amount for each in lines) == held
    return row.state


@pytest.mark.sampled(8)
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(("kind", "customer", "ending"), PAYMENTS)
def test_a_payment_is_paid_once_or_not_at_all(
    till: Till, kind: str, customer: str, ending: str, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    till.shop.books.customer = books.PAYS if customer == "pays" else books.ASKS
    fail(till, failure, CALL[kind], till.call(kind), monkeypatch)
    run_to_end(till, kind, customer, ending)
    state = judge(till, ending)
    if ending == REPEATS and kind == CODES:
        assert state == ("REFUSED" if customer == NEVER else "PAID")
    assert till.ask(kind).code == ("00" if state == "PAID" else till.row().code)  # and it stays so


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("late", [False, True], ids=["", "and a late yes"])
@pytest.mark.parametrize("kind", UNDO)
def test_a_failing_undo_is_repeated_until_nothing_is_paid(
    till: Till, kind: str, late: bool, failure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The customer's yes comes in just before the undo, which fails then; or the order was paid before."""
    till.shop.books.customer = books.ASKS if late else books.PAYS
    till.ask(kind)
    if kind == SHOWN and not late:
        till.shop.books.confirm(REFERENCE)
    till.shop.books.late = late
    till.at += 20_000
    fail(till, failure, UNDO[kind], lambda: till.wallets.revoke(REVERSED), monkeypatch)
    run_to_end(till, kind, "pays", REVERSES)
    assert judge(till, REVERSES) == "UNDONE" and till.ask(kind).code == "12"
    assert till.shop.books.payments in ([REFERENCE], [])


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("pending", [False, True], ids=["", "pending"])
def test_a_refund_is_given_once(till: Till, failure: str, pending: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    assert till.ask(CODES).code == "00"
    till.shop.books.refund_status = "PROCESSING" if pending else "SUCCESS"
    fail(till, failure, "refund", till.call(REFUND), monkeypatch)
    for step in range(1, 60):
        till.wait(5)
        if step == 20 and pending:
            till.shop.books.end_refund(BACK_UID.hex(), "SUCCESS")
        decision = till.ask(REFUND)
        if decision.code not in answers.NOT_FINAL:
            break
    row = till.row(refund=True)
    assert (decision.code, row.state, row.amount) == ("00", "PAID", BACK)
    assert [(one.number, one.amount) for one in till.shop.books.refunds.values()] == [(BACK_UID.hex(), BACK)]
    assert till.shop.books.held(REFERENCE) == AMOUNT - BACK and row.their_id == till.shop.books.refunds[row.uid].id


@pytest.mark.parametrize("kind", UNDO)
def test_a_notification_that_comes_first_changes_nothing_but_the_time(till: Till, kind: str) -> None:
    till.shop.books.customer = books.ASKS
    assert till.ask(kind).code == "09"
    till.shop.books.confirm(REFERENCE)
    assert till.shop.provider.hint(*till.shop.sim.notification(REFERENCE)) == REFERENCE
    assert till.row().state == "WAITING"  # the query decides
    till.wait(5)
    assert till.ask(kind).code == "00" and judge(till, REPEATS) == "PAID"


def test_a_silent_customer_is_asked_about_every_five_seconds_for_45_and_the_order_is_reversed(till: Till) -> None:
    till.shop.books.customer = books.ASKS
    till.ask(CODES)
    for _ in range(44):
        till.wait(1)
    assert till.shop.sim.calls.count("query") == 8 and "reverse" not in till.shop.sim.calls
    till.wait(1)
    assert till.shop.sim.calls[-3:] == ["query", "reverse", "query"] and judge(till, REPEATS) == "REFUSED"
    assert till.row().text_zh == "未在时限内付款"


def test_the_count_of_cells() -> None:
    cells = (len(PAYMENTS) + 2 * len(UNDO) + 2) * len(FAILURES)
    print(f"{cells} cells")
    assert cells == 256
