# SPDX-License-Identifier: MIT
"""The books of the simulated wallets as JSON, so that they outlive the process: a refund tomorrow of today's order works."""

import dataclasses
from typing import Any

from tools.sim.alipay_books import Books as AlipayBooks
from tools.sim.alipay_books import Entry, Trade
from tools.sim.lnbits import LnbitsSimulator, SimulatedWallet
from tools.sim.wechat.books import Books as WeChatBooks
from tools.sim.wechat.books import Line, Order, Refund

Kept = dict[str, Any]


def of_wechat(books: WeChatBooks) -> Kept:
    return {
        "orders": [dataclasses.asdict(order) for order in books.orders.values()],
        "refunds": [dataclasses.asdict(refund) for refund in books.refunds.values()],
        "lines": [dataclasses.asdict(line) for line in books.lines],
        "refusals": books.refusals,
        "scanned": sorted(books.scanned),
        "codes": sorted(books.codes),
        "last_id": books.last_id,
    }


def to_wechat(kept: Kept, books: WeChatBooks) -> None:
    books.orders = {row["number"]: Order(**row) for row in kept["orders"]}
    books.refunds = {row["number"]: Refund(**row) for row in kept["refunds"]}
    books.lines = [Line(**row) for row in kept["lines"]]
    books.payments = [line.order for line in books.lines if line.state == "SUCCESS"]
    books.refusals = [(at, amount) for at, amount in kept["refusals"]]
    books.scanned, books.codes, books.last_id = set(kept["scanned"]), set(kept["codes"]), kept["last_id"]


def of_alipay(books: AlipayBooks) -> Kept:
    return {
        "trades": [dataclasses.asdict(trade) for trade in books.trades.values()],
        "entries": [{**dataclasses.asdict(entry), "trade": entry.trade.number} for entry in books.entries],
        "refusals": books.refusals,
        "codes": books.codes,
        "used": sorted(books.used),
    }


def to_alipay(kept: Kept, books: AlipayBooks) -> None:
    books.trades = {row["number"]: Trade(**row) for row in kept["trades"]}
    books.entries = [Entry(**{**row, "trade": books.trades[row["trade"]]}) for row in kept["entries"]]
    books.refusals = [(at, amount) for at, amount in kept["refusals"]]
    books.codes = {number: (fen, until, life) for number, (fen, until, life) in kept["codes"].items()}
    books.used = set(kept["used"])


def of_lnbits(simulator: LnbitsSimulator) -> Kept:
    wallets = {name: dataclasses.asdict(getattr(simulator, name)) for name in ("shop", "customer")}
    return {"payments": simulator.payments, **wallets}


def to_lnbits(kept: Kept, simulator: LnbitsSimulator) -> None:
    simulator.payments = kept["payments"]
    simulator.shop, simulator.customer = SimulatedWallet(**kept["shop"]), SimulatedWallet(**kept["customer"])
