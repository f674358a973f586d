# SPDX-License-Identifier: MIT
"""Lightning through Wallets and a ledger: whatever fails, whenever, an order is paid once or not at all.

Each cell is a failure, what the customer does, and what the terminal does. At its end our row and the server's books say
the same, to the cent.
"""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from host_tests.harness.lightning.bench import FEN, MSAT, Bench
from tools.host.acquirers import orders
from tools.host.acquirers.lightning import line
from tools.host.acquirers.wallets import Wallet, Wallets
from tools.host.errors import IssuerFault
from tools.host.outside.issuer import Decision
from tools.host.outside.wallet import Order, Return, Revocation
from tools.host.store.ledger import Ledger
from tools.host.wire import kinds

TID, MID, WECHAT = "KASSA001", "898000000000001", "134567890123456789"
FAILURES = (
    "none", "reset before", "reset after", "error before", "error after", "hang before", "hang after", "too often",
    "killed before", "killed after",
)  # fmt: skip
STAGES = ("make", "ask", "end")  # which request fails: the one that makes the invoice, one about it, or the last one
CUSTOMERS = ("pays", "pays late", "silent")
TERMINALS = ("asks on", "falls silent", "gives up", "gives up before the customer pays")
CELLS = list(itertools.product(FAILURES, STAGES, CUSTOMERS, TERMINALS))
ON_REAL = ("pays", "silent"), ("asks on", "gives up")  # on the real server, which is slower, only these of the last two


class Shop:
    """A host that may be killed and started again, with one order."""

    def __init__(self, bench: Bench, ledger: Ledger) -> None:
        self.bench, self.ledger = bench, ledger
        self.order = Order(TID, uuid.uuid4().bytes, FEN, MID, "0156")
        self.shown = b""
        self.restart()

    def restart(self) -> None:
        self.wallets = Wallets(self.ledger, [Wallet("lnbits", "lnbits", self.bench.make())])

    @property
    def row(self) -> Any:
        with self.ledger.read() as db:
            return orders.find(db, TID, self.order.uid)

    @property
    def reversed(self) -> Revocation:
        return Revocation(TID, self.order.uid, MID, self.order.amount, kinds.QR_SHOWN)

    async def ask(self) -> Decision:
        said = await self.wallets.pay(self.order)
        self.shown = said.shown or self.shown
        return said

    async def revoke(self) -> bool:
        try:
            await self.wallets.revoke(self.reversed)
        except IssuerFault:
            return False
        return True

    async def killed(self, work: Awaitable[object]) -> None:
        """The process dies while its request hangs, before or after the server has done it."""
        task = asyncio.ensure_future(work)
        hangs = asyncio.create_task(asyncio.to_thread(self.bench.proxy.waiting.wait, 20))
        await asyncio.wait([task, hangs], return_when=asyncio.FIRST_COMPLETED)
        assert hangs.done(), "the request did not hang"
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        self.bench.proxy.let_go.set()
        self.bench.proxy.let_go = type(self.bench.proxy.let_go)()
        self.restart()


@asynccontextmanager
async def failing(shop: Shop, failure: str, on: str) -> AsyncIterator[None]:
    """The next request of this kind fails."""
    if failure != "none":
        shop.bench.proxy.set(failure.replace("killed", "hang"), on)
    with pytest.MonkeyPatch.context() as patch:
        if failure.startswith("hang"):
            patch.setattr(line, "LIMIT", 0.3)
        yield
    shop.bench.proxy.set("")


async def fail(shop: Shop, failure: str, on: str) -> None:
    """Ask once, and have it fail."""
    async with failing(shop, failure, on):
        if failure.startswith("killed"):
            await shop.killed(shop.ask())
        else:
            await shop.ask()


async def play(shop: Shop, failure: str, stage: str, customer: str, terminal: str) -> None:
    """One cell, until there is a final word or a person has to look."""
    bench = shop.bench
    await (fail(shop, failure, "POST") if stage == "make" else shop.ask())
    bench.pass_time(31)  # a killed process still has the row
    if stage == "ask":
        await fail(shop, failure, "GET")
        bench.pass_time(31)
    if terminal == "gives up before the customer pays":
        await shop.revoke()
    elif terminal != "falls silent":
        await shop.ask()
    if customer in ("pays", "pays late") and shop.shown:
        if customer == "pays late":
            bench.pass_time(45)  # after the invoice's end, before anybody asks again
        assert bench.server.pay(shop.shown)
    for turn in range(30):
        bench.pass_time(31)
        if stage == "end" and not turn:
            async with failing(shop, failure, "GET"):
                work = end(shop, terminal)
                await (shop.killed(work) if failure.startswith("killed") else work)
            bench.pass_time(31)
        await end(shop, terminal)
        await shop.wallets.tend()
        if shop.row.state in (orders.PAID, orders.REFUSED, orders.UNDONE, orders.KEPT):
            return


async def end(shop: Shop, terminal: str) -> None:
    """What the terminal does from now on; without it the host asks by itself."""
    if terminal.startswith("gives up"):
        await shop.revoke()
    elif terminal == "asks on":
        await shop.ask()
    else:
        await shop.wallets.tend()


@pytest.mark.parametrize("failure", FAILURES)
def test_paid_once_or_not_at_all(bench: Bench, ledger: Ledger, failure: str) -> None:
    cells = [cell for cell in CELLS if cell[0] == failure]
    if not bench.server.simulator:
        cells = [cell for cell in cells if cell[2] in ON_REAL[0] and cell[3] in ON_REAL[1]]
    ends: dict[str, int] = {}
    for cell in cells:
        bench.late = 0  # the real server makes its invoices now
        shop = Shop(bench, ledger)
        asyncio.run(play(shop, *cell))
        paid = bench.server.paid(shop.row.uid)
        wanted = {"PAID": [MSAT], "KEPT": [MSAT], "REFUSED": [], "UNDONE": []}
        assert paid == wanted.get(shop.row.state), (cell, shop.row.state, paid, shop.row.trouble)
        assert (shop.row.amount, shop.row.currency) == (FEN, "CNY")
        assert len(bench.server.rows(shop.row.uid)) <= 1, cell
        if shop.row.state == "KEPT":
            assert cell[3].startswith("gives up") and cell[2].startswith("pays"), cell
        ends[shop.row.state] = ends.get(shop.row.state, 0) + 1
    assert sum(ends.values()) == len(cells) == (36 if bench.server.simulator else 12)
    print(f"{failure}: {len(cells)} cells, {ends}")
    if failure == "none":
        assert set(ends) == {"PAID", "REFUSED", "UNDONE", "KEPT"}


def test_a_refund_and_a_customers_code_ask_nothing_of_the_server(bench: Bench, ledger: Ledger) -> None:
    shop = Shop(bench, ledger)

    async def work() -> None:
        await shop.ask()
        assert bench.server.pay(shop.shown)
        bench.pass_time(5)
        assert (await shop.ask()).code == "00"
        asked = len(bench.proxy.passed)
        for uid in (1, 1, 2):
            back = Return("KASSA002", uid.to_bytes(16), TID, shop.order.uid, FEN, MID, "0156")
            said = await shop.wallets.give_back(back)
            assert (said.code, said.text) == ("12", "No refund by Lightning: pay cash")
        said = await shop.wallets.pay(Order(TID, uuid.uuid4().bytes, FEN, MID, "0156", WECHAT))
        assert said.code == "14" and len(bench.proxy.passed) == asked

    asyncio.run(work())
    assert shop.row.state == "PAID" and bench.server.paid(shop.row.uid) == [MSAT]


def test_what_is_paid_and_was_undone_is_kept_in_sight(bench: Bench, ledger: Ledger) -> None:
    shop = Shop(bench, ledger)

    async def work() -> None:
        await shop.ask()
        assert bench.server.pay(shop.shown)
        bench.pass_time(20)
        for _ in range(2):
            with pytest.raises(IssuerFault, match="by hand"):
                await shop.wallets.revoke(shop.reversed)

    asyncio.run(work())
    row = shop.row
    assert (row.state, row.text_en, row.text_zh) == ("KEPT", "Paid: give it back in cash", "已付款，请退现金")
    assert bench.server.paid(row.uid) == [MSAT]


def test_two_hosts_show_one_invoice(bench: Bench, ledger: Ledger) -> None:
    shops = [Shop(bench, ledger) for _ in range(2)]
    shops[1].order = shops[0].order

    async def work() -> None:
        await asyncio.gather(*(shop.ask() for shop in shops))
        bench.pass_time(31)
        await asyncio.gather(*(shop.ask() for shop in shops))
        bench.pass_time(5)
        await asyncio.gather(*(shop.ask() for shop in shops))

    asyncio.run(work())
    assert shops[0].shown == shops[1].shown and len(bench.server.rows(shops[0].row.uid)) == 1
