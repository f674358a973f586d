# SPDX-License-Identifier: MIT
"""A customer's Lightning wallet: a second wallet of the shop's LNbits server, spoken to by its HTTP API."""

import dataclasses
import json
import threading

import httpx

from tools.host import private_files
from tools.host.acquirers import orders
from tools.host.acquirers.lightning import invoice
from tools.host.errors import ProviderFault
from tools.sim.lnbits import LnbitsSimulator
from tools.sim.wallets.app import (
    CANCELLED,
    LATE,
    NEWEST,
    PAID,
    PAYS,
    REFUSED,
    REFUSES,
    SENDING,
    SILENT,
    WAITING,
    Item,
    PhoneError,
)
from tools.sim.wallets.services import RATE, WalletServices

_PATH = "/api/v1/payments"
_WAIT = 10.0  # seconds for one request
_LATE = 20.0  # seconds that a payment of mood LATE is under way
_KEPT = 200  # payments


class Lightning:
    """See app.App. It has no payment code, and a paid invoice cannot be given back.

    LATE: the payment is under way for twenty seconds, as on a slow route.
    """

    def __init__(self, services: WalletServices) -> None:
        self._server = services.lnbits
        self._client = httpx.Client(
            base_url=services.lnbits.url, headers={"X-Api-Key": services.customer_key}, trust_env=False, timeout=_WAIT
        )
        self._path = services.folder / "phone.json"
        self._lock = threading.RLock()
        self._timers: list[threading.Timer] = []
        self.mood = PAYS
        rows = json.loads(self._path.read_text()) if self._path.exists() else []
        self._items: dict[str, Item] = {row["id"]: Item(**row) for row in rows}
        self._invoices: dict[str, str] = {}  # of this run
        self._busy: set[str] = set()

    def set_mood(self, mood: str) -> None:
        if (mood == SILENT) != (self.mood == SILENT):
            if isinstance(self._server, LnbitsSimulator):
                self._server.is_silent = mood == SILENT
            else:
                self._server.hold(mood == SILENT)
        self.mood = mood

    def code(self) -> str:
        return ""

    def scan(self, text: str) -> str | None:
        if not text.lower().startswith("ln"):
            return None
        try:
            read = invoice.read(text)
        except ProviderFault:
            raise PhoneError("no good invoice") from None
        if orders.now() >= read.ends * 1000:
            raise PhoneError("the code has expired")
        satoshi = read.amount // 1000
        with self._lock:
            self._invoices[read.payment_hash] = text
            fen = (2 * satoshi * 100 + RATE) // (2 * RATE)
            known = self._items.get(read.payment_hash)
            if known is None or known.state != PAID:
                self._note(Item("lightning", read.payment_hash, orders.now(), fen, WAITING, satoshi=satoshi))
        return read.payment_hash

    def pay(self, payment: str) -> None:
        with self._lock:
            item = self._waiting(payment)
            if self.mood == REFUSES:
                return self._note(dataclasses.replace(item, state=REFUSED))
            if payment in self._busy:
                return
            self._busy.add(payment)
        if self.mood == LATE:
            timer = threading.Timer(_LATE, self._send, (item,))
            timer.daemon = True
            self._timers.append(timer)
            timer.start()
        else:
            self._send(item)

    def refuse(self, payment: str) -> None:
        with self._lock:
            self._note(dataclasses.replace(self._waiting(payment), state=REFUSED))

    def items(self) -> list[Item]:
        """An invoice that was never paid is nothing any more once its time is over."""
        with self._lock:
            newest = list(self._items.values())[-NEWEST:]
            gone = [item for item in newest if item.state == WAITING and self._is_over(item)]
            for item in gone:
                self._note(dataclasses.replace(item, state=CANCELLED))
            shown = [self._items[item.id] for item in newest]
            shown = [dataclasses.replace(one, state=SENDING) if one.id in self._busy else one for one in shown]
            return sorted(shown, key=lambda item: -item.at)

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self.set_mood(PAYS)  # a server that is held still could not end
        self._client.close()

    def _waiting(self, payment: str) -> Item:
        item = self._items.get(payment)
        if item is None or item.state != WAITING or payment not in self._invoices:
            raise PhoneError("too late")
        return item

    def _is_over(self, item: Item) -> bool:
        text = self._invoices.get(item.id)
        return item.id not in self._busy and (text is None or orders.now() >= invoice.read(text).ends * 1000)

    def _send(self, item: Item) -> None:
        """Pay the invoice. What is not certain stays waiting: paying it again never pays twice."""
        try:
            answer = self._client.post(_PATH, json={"out": True, "bolt11": self._invoices[item.id]})
            paid = answer.status_code == 201 and answer.json()["status"] == "success"
        except (httpx.HTTPError, ValueError, KeyError):
            return
        finally:
            with self._lock:
                self._busy.discard(item.id)
        with self._lock:
            self._note(dataclasses.replace(item, state=PAID if paid else REFUSED))

    def _note(self, item: Item) -> None:
        self._items[item.id] = item
        rows = [dataclasses.asdict(one) for one in list(self._items.values())[-_KEPT:]]
        private_files.write(self._path, json.dumps(rows).encode())
