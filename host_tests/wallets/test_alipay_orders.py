# SPDX-License-Identifier: MIT
"""Alipay behind the core's wallets: paid once or not at all, and the same in our rows as in Alipay's books, to the fen.

Every transaction (customer's code, our code, refund) x every cut of every call x every customer x both ends: the
terminal asks until there is an answer, or reverses. Time is passed, never waited for. `make test` plays every third cell of
the orders, `make long` all of them.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import delete

from host_tests.harness.alipay import AMOUNT, CODE, Shop, open_shop
from tools.host.acquirers import orders
from tools.host.acquirers.alipay import provider as calls
from tools.host.acquirers.wallets import Wallet, Wallets
from tools.host.errors import IssuerFault
from tools.host.outside.issuer import Decision
from tools.host.outside.wallet import Order, Return, Revocation
from tools.host.store.ledger import Ledger
from tools.host.store.schema_wallets import wallet_order, wallet_refund
from tools.host.wire import answers, kinds

MID = "898000000000001"
CUTS = (
    "", "hang_before", "hang_after", "reset_before", "reset_after", "5xx_before", "5xx_after", "busy", "busy_after",
    "too_often", "killed_unsent", "killed_before", "killed_after",
)  # fmt: skip
PAYERS = ("pays", "confirms", "confirms late", "silent", "refused")
WHO_WAIT = ("confirms", "confirms late", "silent")
LATER_CUTS = ("hang_after", "reset_before", "reset_after", "5xx_after", "busy", "busy_after")
ENDS = ("asks", "reverses")
RAN: list[tuple[str, ...]] = []


class Till:
    """A terminal, the host's wallets, and a customer; `number` of the one order, `back` of the one refund."""

    def __init__(self, shop: Shop, ledger: Ledger, payer: str) -> None:
        self.shop, self.ledger, self.payer = shop, ledger, payer
        self.number = (1).to_bytes(16)
        self.reversed = Revocation("KASSA001", self.number, MID, AMOUNT, kinds.QR_SCANNED)
        self.back = Return("KASSA001", (2).to_bytes(16), "KASSA001", self.number, 250, MID, "0156")
        shop.books.customer = {"pays": "pays", "refused": "ACQ.BUYER_BALANCE_NOT_ENOUGH"}.get(payer, "confirms")
        self.wallets = Wallets(ledger, [Wallet("alipay", "alipay", shop.provider)])

    def restarted(self) -> Wallets:
        """As after a restart of the host: the ledger is the same, and nothing else."""
        self.shop.run(self.wallets.close())
        return Wallets(self.ledger, [Wallet("alipay", "alipay", self.shop.restarted())])

    def order(self, code: str) -> Order:
        return Order("KASSA001", self.number, AMOUNT, MID, "0156", code)

    def row(self) -> Any:
        with self.ledger.read() as db:
            return orders.find(db, "KASSA001", self.number)

    def refund_row(self) -> Any:
        with self.ledger.read() as db:
            return orders.refund_of(db, "KASSA001", self.back.uid)

    def ask(self, work: Any, call: str, cut: str) -> Decision | None:
        """Ask the wallets for something whose `call` is cut. None: the host was killed meanwhile, and started again."""
        if not cut.startswith("killed"):
            return self.shop.run(work)

        async def unsent(*_: object) -> bytes:
            raise asyncio.CancelledError

        async def killed() -> None:
            task, loop = asyncio.ensure_future(work), asyncio.get_running_loop()
            if cut == "killed_unsent":
                self.shop.provider._gateway._fetch = unsent  # type: ignore[method-assign]
            self.shop.gateway.on_call = lambda made: made == call and loop.call_soon_threadsafe(task.cancel)
            with pytest.raises(asyncio.CancelledError):
                await task
            self.shop.gateway.on_call = lambda made: None

        self.shop.run(killed())
        self.wallets = self.restarted()
        return None

    def customer(self, step: int, undoing: bool) -> None:
        """What the customer does after `step` questions of the terminal; "late": once the order is being undone."""
        number, books = self.number.hex(), self.shop.books
        if self.payer not in ("confirms", "confirms late") or undoing != (self.payer == "confirms late"):
            return
        if number in books.codes:
            books.scan(number)
        if step > 1 or undoing:
            books.pay_now(number)

    def until_answered(self, code: str) -> Decision:
        for step in range(1, 100):
            self.shop.clock[0] += 5000 if step < 4 else 20_000
            self.customer(step, self.row().state not in (orders.ASKED, orders.WAITING))
            self.shop.run(self.wallets.tend())
            said = self.shop.run(self.wallets.pay(self.order(code)))
            if said.code not in answers.NOT_FINAL:
                return said
        raise AssertionError(f"no answer: {self.row()}")

    def until_reversed(self, cut: str = "") -> None:
        """`cut`: of the first cancel, if the host is killed in it; all others are the gateway's."""
        for step in range(1, 100):
            self.shop.clock[0] += 15_000
            if cut and step == 1:
                self.ask(self.wallets.revoke(self.reversed), "cancel", cut)
                continue
            self.customer(step, True)
            try:
                return self.shop.run(self.wallets.revoke(self.reversed))
            except IssuerFault:
                self.shop.run(self.wallets.tend())
        raise AssertionError(f"not reversed: {self.row()}")

    def until_refunded(self) -> Decision:
        for step in range(1, 100):
            self.shop.clock[0] += 10_000
            if step >= 5:  # Alipay takes its time
                self.shop.books.settle_refunds()
            said = self.shop.run(self.wallets.give_back(self.back))
            if said.code not in answers.NOT_FINAL:
                return said
        raise AssertionError(f"no answer: {self.refund_row()}")

    def agrees(self, kept: int) -> None:
        """Alipay's books and ours: `kept` fen of the order stay with the merchant."""
        books = self.shop.books
        assert len(books.trades) <= 1 and books.left(self.number.hex()) == kept
        assert sum(entry.amount for entry in books.entries) == kept
        assert sum(entry.amount > 0 for entry in books.entries) <= 1, "paid twice"
        after = self.shop.clock[0] + 3600_000
        self.shop.clock[0] = after
        assert not books.pay_now(self.number.hex())  # nothing can be paid any more
        assert self.number.hex() not in books.codes or books.trades or not books.scan(self.number.hex())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, Ledger]]:
    """One gateway and one ledger for all cells: keys and databases take long to make."""
    with pytest.MonkeyPatch.context() as patches, open_shop(patches) as shop:
        ledger = Ledger(tmp_path_factory.mktemp("alipay") / "host.db")
        yield shop, ledger
        ledger.close()


@pytest.fixture
def till(home: tuple[Shop, Ledger]) -> Callable[[str], Till]:
    """A function that opens a till for a customer, everything new."""
    shop, ledger = home

    def opened(payer: str) -> Till:
        shop.anew()
        with ledger.write() as db:
            for table in (wallet_order, wallet_refund):
                db.execute(delete(table))
        return Till(shop, ledger, payer)

    return opened


def cells() -> list[tuple[str, str, str, str, str]]:
    """Transaction, call that is cut, cut, customer, end."""
    found: list[tuple[str, str, str, str, str]] = []
    for kind, first, payers in (("code", "pay", PAYERS), ("shown", "precreate", PAYERS[1:])):
        found += itertools.product([kind], [first], CUTS, payers, ENDS)
        found += itertools.product([kind], ["query", "cancel"], LATER_CUTS, WHO_WAIT, ENDS)
        found += itertools.product([kind], ["cancel"], CUTS[-3:], WHO_WAIT, ["reverses"])
    return found


@pytest.mark.sampled(8)
@pytest.mark.parametrize(("kind", "call", "cut", "payer", "end"), cells())
def test_an_order_is_paid_once_or_not_at_all(
    till: Callable[[str], Till], monkeypatch: pytest.MonkeyPatch, kind: str, call: str, cut: str, payer: str, end: str
) -> None:
    if cut.startswith("hang"):
        monkeypatch.setattr(calls, "LIMIT", 0.25)
    desk = till(payer)
    code = CODE if kind == "code" else ""
    if cut and cut != "killed_unsent":
        desk.shop.gateway.moods[call].append(cut.replace("killed", "hang"))
    first = call in ("pay", "precreate")
    said = desk.ask(desk.wallets.pay(desk.order(code)), call, cut if first else "")
    assert said is None or said.code in answers.NOT_FINAL or not (cut and first) or payer == "refused"
    if end == "reverses":
        desk.until_reversed(cut if cut.startswith("killed") and not first else "")
        assert desk.row().state in ("UNDONE", "REFUSED")
        desk.agrees(0)
        assert desk.shop.run(desk.wallets.pay(desk.order(code))).code not in answers.YES
    else:
        final = desk.until_answered(code)
        is_paid = final.code in answers.YES
        assert desk.row().state == ("PAID" if is_paid else "REFUSED")
        desk.agrees(AMOUNT if is_paid else 0)
        if payer in ("silent", "refused"):
            assert not is_paid
        elif not cut:
            assert is_paid == (payer != "confirms late")
        again = desk.shop.run(desk.wallets.pay(desk.order(code)))
        assert again.code == final.code
    RAN.append((kind, call, cut, payer, end))


@pytest.mark.parametrize("call", ["refund", "refund_query"])
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("payer", ["pays", "pays, refund pending", "pays, no money"])
def test_a_refund_moves_money_once_or_not_at_all(
    till: Callable[[str], Till], monkeypatch: pytest.MonkeyPatch, call: str, cut: str, payer: str
) -> None:
    desk = till("pays")
    assert desk.shop.run(desk.wallets.pay(desk.order(CODE))).code in answers.YES
    if cut.startswith("hang"):
        monkeypatch.setattr(calls, "LIMIT", 0.25)
    desk.shop.books.refunds_wait, desk.shop.books.is_broke = payer.endswith("pending"), payer.endswith("money")
    if cut and cut != "killed_unsent":
        desk.shop.gateway.moods[call].append(cut.replace("killed", "hang"))
    if call == "refund_query":  # ... is asked only if the refund's own answer was lost
        desk.shop.gateway.moods["refund"].append("reset_after")
        desk.ask(desk.wallets.give_back(desk.back), call, "")
        desk.shop.clock[0] += 40_000
    desk.ask(desk.wallets.give_back(desk.back), call, cut)
    final = desk.until_refunded()
    is_done = final.code in answers.YES
    assert is_done == (not payer.endswith("money"))
    assert desk.refund_row().state == ("PAID" if is_done else "REFUSED") and desk.row().state == "PAID"
    desk.agrees(AMOUNT - 250 if is_done else AMOUNT)
    refunds = [entry for entry in desk.shop.books.entries if entry.amount < 0]
    assert [entry.request for entry in refunds] == [desk.back.uid.hex()] * is_done
    RAN.append(("refund", call, cut, payer, "asks"))


@pytest.mark.parametrize("kind", ["code", "shown"])
def test_a_cancel_that_has_to_be_repeated_is_repeated(till: Callable[[str], Till], kind: str) -> None:
    """Unknown twice, although it happened once; then Alipay says that there is nothing to cancel any more."""
    desk = till("pays")
    desk.shop.run(desk.wallets.pay(desk.order(CODE if kind == "code" else "")))
    if kind == "shown":
        assert desk.shop.books.scan(desk.number.hex()) and desk.shop.books.pay_now(desk.number.hex())
    desk.shop.gateway.moods["cancel"] = ["busy", "busy_after", "reset_after"]
    desk.until_reversed()
    desk.agrees(0)
    assert [call for call, _ in desk.shop.gateway.calls].count("cancel") == 4


def test_a_shop_without_money_owes_an_undo_until_it_has_some(till: Callable[[str], Till]) -> None:
    desk = till("pays")
    desk.shop.run(desk.wallets.pay(desk.order(CODE)))
    desk.shop.books.is_broke = True
    for _ in range(3):
        desk.shop.clock[0] += 60_000
        with pytest.raises(IssuerFault, match="Top up"):
            desk.shop.run(desk.wallets.revoke(desk.reversed))
    assert desk.row().state == "UNDOING"
    desk.shop.books.is_broke = False
    desk.until_reversed()
    desk.agrees(0)


def test_every_cell_ran(request: pytest.FixtureRequest) -> None:
    """Of those that were asked for. The last test of this file."""
    names = ("test_an_order_is_paid_once_or_not_at_all", "test_a_refund_moves_money_once_or_not_at_all")
    wanted = sum(getattr(item, "originalname", "") in names for item in request.session.items)
    print(f"Alipay: {len(RAN)} of {wanted} cells ran")
    assert len(set(RAN)) == len(RAN) == wanted
