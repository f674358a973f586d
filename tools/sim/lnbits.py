# SPDX-License-Identifier: MIT
"""An LNbits server for tests where the real one cannot run: its HTTP API (1.6.2) as far as the host and a customer use it.

Two wallets, the shop's and a customer's, with books in millisatoshi. It has the real one's edges: `external_id` is not
unique, and an invoice whose time is over stays open to its own wallets until somebody asks about it.
"""

import asyncio
import datetime
import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tools.host.acquirers import orders
from tools.host.running.web_server import WebServer
from tools.sim import bolt11

_PATH = "/api/v1/payments"
_MOST = 10_000_000  # satoshi in one invoice
_START = 10.0  # seconds
_NEVER = "9000-01-01T00:00:00Z"


@dataclass
class SimulatedWallet:
    """A wallet and its keys. `balance`: millisatoshi."""

    balance: int = 0
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    invoice_key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    admin_key: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)


class _Wrong(Exception):
    """What the server answers instead: HTTP status and JSON."""

    def __init__(self, code: int, detail: str, **more: str) -> None:
        super().__init__(detail)
        self.answer = JSONResponse({"detail": detail, **more}, code)


class LnbitsSimulator:
    """A server on loopback, from `with` to its end.

    To be changed by tests: `fee` (millisatoshi that it keeps of an incoming payment), `rate` (satoshi for a yuan),
    `hints` (routing hints of an invoice), `network`, `is_silent` (no request is answered).
    `on_change` is called after each change, before its answer leaves.
    """

    def __init__(self, balance: int = 10_000_000_000) -> None:
        self.shop, self.customer = SimulatedWallet(), SimulatedWallet(balance)
        self.payments: list[dict[str, Any]] = []
        self.fee, self.rate, self.hints, self.network = 0, 143, 0, "bc"
        self.is_silent = False
        self.on_change: Callable[[], None] = lambda: None
        routes = [Route(_PATH, self._post, methods=["POST"]), Route(f"{_PATH}/paginated", self._list)]
        self._site = WebServer(Starlette(routes=routes))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lnbits", daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._site.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._site.start("127.0.0.1", 0), self._loop).result(_START)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._site.stop(0), self._loop).result(_START)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_START)
        self._loop.close()

    async def _post(self, request: Request) -> JSONResponse:
        await self._speak()
        try:
            wallet, is_admin = self._whose(request)
            asked = await request.json()
            if asked.get("out", True) and not is_admin:
                raise _Wrong(403, "Invoice (or Admin) key required.")
            makes = not asked.get("out", True)
            done = self._make(wallet, asked) if makes else self._pay(wallet, str(asked.get("bolt11", "")))
            self.on_change()
            return JSONResponse(done, 201)
        except _Wrong as wrong:
            return wrong.answer
        except (ValueError, KeyError) as fault:
            return JSONResponse({"detail": str(fault)}, 400)

    async def _list(self, request: Request) -> JSONResponse:
        await self._speak()
        try:
            wallet, _ = self._whose(request)
            asked = dict(request.query_params)
            if asked.get("recheck_pending") == "true":
                self._recheck(asked)
            found = [row for row in self.payments if row["wallet_id"] == wallet.id and _fits(row, asked)]
            if asked.get("sortby") == "time":
                found.sort(key=lambda row: row["time"], reverse=asked.get("direction") == "desc")
            start = int(asked.get("offset", 0))
            return JSONResponse({"data": found[start : start + int(asked.get("limit", 10))], "total": len(found)})
        except _Wrong as wrong:
            return wrong.answer
        except ValueError as fault:
            return JSONResponse({"detail": str(fault)}, 400)

    async def _speak(self) -> None:
        """Returns at once, unless the server is silent."""
        while self.is_silent:
            await asyncio.sleep(0.2)

    def _whose(self, request: Request) -> tuple[SimulatedWallet, bool]:
        key = request.headers.get("x-api-key")
        if not key:
            raise _Wrong(401, "No Api Key provided.")
        for wallet in (self.shop, self.customer):
            if key in (wallet.invoice_key, wallet.admin_key):
                return wallet, key == wallet.admin_key
        raise _Wrong(404, "Wallet not found.")

    def _make(self, wallet: SimulatedWallet, asked: dict[str, Any]) -> dict[str, Any]:
        if asked.get("payment_hash"):
            raise _Wrong(520, "Hold invoices are not supported by this wallet.", status="failed")
        if asked.get("unit", "sat") not in ("sat", "CNY"):
            raise _Wrong(400, "The provided unit is not supported")
        satoshi = int(asked["amount"]) if asked.get("unit", "sat") == "sat" else self._convert(str(asked["amount"]))
        if satoshi <= 0:
            raise _Wrong(520, "Amountless invoices not supported.", status="failed")
        if satoshi > _MOST:
            raise _Wrong(520, f"Invoice amount {satoshi} sats is too high. Max allowed: {_MOST} sats.", status="failed")
        preimage = secrets.token_bytes(32)
        made, expiry = orders.now() // 1000, int(asked.get("expiry") or 3600)
        hashed = hashlib.sha256(preimage).hexdigest()
        memo = str(asked.get("memo") or "LNbits")
        text = bolt11.write(satoshi * 1000, hashed, made, expiry, memo, self.network, self.hints)
        row = {
            "checking_id": hashed,
            "payment_hash": hashed,
            "wallet_id": wallet.id,
            "amount": satoshi * 1000,
            "fee": 0,
            "bolt11": text,
            "payment_request": text,
            "status": "pending",
            "memo": memo,
            "expiry": _time((made + expiry) * 1000),
            "preimage": preimage.hex(),
            "time": _time(orders.now()),
            "labels": [],
            "extra": asked.get("extra") or {},
            "external_id": asked.get("external_id"),
        }
        self.payments.append(row)
        return row

    def _convert(self, yuan: str) -> int:
        whole, _, part = yuan.partition(".")
        return int(whole + part.ljust(2, "0")) * self.rate // 100

    def _pay(self, wallet: SimulatedWallet, text: str) -> dict[str, Any]:
        row = next((one for one in self.payments if one["bolt11"] == text and one["amount"] > 0), None)
        if row is None or row["status"] == "failed":
            raise _Wrong(520, "Payment failed: Only internal invoices can be used!", status="failed")
        if row["status"] == "success":
            raise _Wrong(520, "Internal invoice already paid.", status="failed")
        if wallet.balance < row["amount"]:
            raise _Wrong(520, "Insufficient balance.", status="failed")
        wallet.balance -= row["amount"]
        owner = self.shop if row["wallet_id"] == self.shop.id else self.customer
        owner.balance += row["amount"] - self.fee
        row["status"], row["fee"] = "success", -self.fee
        return {**row, "wallet_id": wallet.id, "amount": -row["amount"], "fee": 0}

    def _recheck(self, asked: dict[str, str]) -> None:
        for row in self.payments:
            if row["status"] == "pending" and row["expiry"] < _time(orders.now()) and _fits(row, asked):
                row["status"], row["labels"] = "failed", ["expired"]


def _fits(row: dict[str, Any], asked: dict[str, str]) -> bool:
    """Whether a payment is one of those that are asked for."""
    return (
        asked.get("external_id", row["external_id"]) == row["external_id"]
        and asked.get("status", row["status"]) == row["status"]
        and row["amount"] > int(asked.get("amount[gt]", -_MOST * 1000))
        and _at(asked.get("time[ge]", "2000-01-01T00:00:00Z")) <= _at(row["time"]) < _at(asked.get("time[lt]", _NEVER))
    )


def _at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def _time(at: int) -> str:
    """ms since 1970 as the server writes it."""
    return datetime.datetime.fromtimestamp(at / 1000, datetime.UTC).isoformat()
