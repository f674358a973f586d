# SPDX-License-Identifier: MIT
"""An LNbits server, simulated or real, with a faulty proxy in front of it; its books; and time that can be passed."""

from __future__ import annotations

import datetime
import sqlite3
import ssl
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from host_tests.harness.lightning.faulty_proxy import FaultyProxy
from tools.host.acquirers import orders
from tools.host.acquirers.lightning.line import Line
from tools.host.acquirers.lightning.lnbits import LNbits
from tools.host.acquirers.lightning.price import SAT, Price, Rate
from tools.host.acquirers.provider import Order
from tools.sim.lnbits import LnbitsSimulator

FEN, MSAT = 1250, 1_250_000  # an order's amount, at 100 satoshi for a yuan
ZONE = ZoneInfo("Asia/Shanghai")
PATH = "/api/v1/payments"
_TRUST = ssl.create_default_context()


@dataclass
class Server:
    """`shop_key`: invoice key of the shop; `customer_key`: admin key of a customer. `database`: of the real one."""

    url: str
    shop_key: str = field(repr=False)
    customer_key: str = field(repr=False)
    simulator: LnbitsSimulator | None = None
    database: Path | None = None
    client: httpx.Client = field(default_factory=lambda: httpx.Client(trust_env=False, timeout=20.0), repr=False)

    def ask(self, method: str, path: str, key: str, **more: Any) -> httpx.Response:
        """Ask it, past the proxy."""
        return self.client.request(method, self.url + path, headers={"X-Api-Key": key}, **more)

    def rows(self, reference: str = "") -> list[dict[str, Any]]:
        """The shop's payments as its books have them, with our reference or all; nothing is asked of its node."""
        rows: list[dict[str, Any]] = []
        query = {"external_id": reference} if reference else {}
        while True:
            page = {**query, "limit": "100", "offset": str(len(rows)), "sortby": "time", "direction": "asc"}
            found = self.ask("GET", f"{PATH}/paginated", self.shop_key, params=page).raise_for_status().json()
            rows += found["data"]
            if len(rows) >= found["total"]:
                return rows

    def paid(self, reference: str) -> list[int]:
        """What was paid with our reference, in millisatoshi."""
        return [row["amount"] for row in self.rows(reference) if row["status"] == "success"]

    def balance(self) -> int:
        """Of the shop in millisatoshi, from its payments."""
        return sum(row["amount"] - abs(row["fee"]) for row in self.rows() if row["status"] == "success")

    def pay(self, invoice: bytes | str) -> bool:
        """The customer pays an invoice. Returns whether the server says that it is done."""
        text = invoice.decode() if isinstance(invoice, bytes) else invoice
        answer = self.ask("POST", PATH, self.customer_key, json={"out": True, "bolt11": text})
        return answer.status_code == 201 and answer.json()["status"] == "success"

    def report_late(self, reference: str) -> None:
        """Its node says that an invoice was paid that is over for the server."""
        if self.simulator:
            next(row for row in self.simulator.payments if row["external_id"] == reference)["status"] = "success"
        if self.database:
            with closing(sqlite3.connect(self.database, timeout=20)) as db, db:
                db.execute("UPDATE apipayments SET status = 'success' WHERE external_id = ?", (reference,))


class Bench:
    """`provider`: the adapter, through `proxy`. `late`: seconds that have been passed."""

    def __init__(self, server: Server, proxy: FaultyProxy) -> None:
        self.server, self.proxy = server, proxy
        self.late = 0
        self.provider = self.make()

    def make(
        self, price: Price | None = None, key: str = "", url: str = "", trust: ssl.SSLContext | None = None
    ) -> LNbits:
        """An adapter."""
        line = Line(url or self.proxy.url, key or self.server.shop_key, trust or _TRUST)
        fixed = Price(SAT, Rate.read("100"), Rate.read("100"))
        return LNbits(line, price or fixed, "bc", 100, "Tea shop", ZONE)

    def pass_time(self, seconds: int) -> None:
        """Everybody's clock moves on. The real server's does not: its open invoices end sooner instead."""
        self.late += seconds
        if self.server.database:
            with closing(sqlite3.connect(self.server.database, timeout=20)) as db, db:
                db.execute("UPDATE apipayments SET expiry = expiry - ? WHERE status = 'pending'", (seconds,))


def order(amount: int = FEN, reference: str = "", **more: Any) -> Order:
    """An order of now."""
    at = datetime.datetime.fromtimestamp(orders.now() / 1000, datetime.UTC)
    return Order(reference or uuid.uuid4().hex, amount, "CNY", True, at, **more)
