# SPDX-License-Identifier: MIT
"""A card acquirer and its simulator for tests, on a database of their own."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from sqlalchemy import select

from host_tests.harness.host.card import Card
from tools.host.acquirers import card as adapter
from tools.host.acquirers.card import requests, translate
from tools.host.acquirers.card.acquirer import CardAcquirer
from tools.host.acquirers.section import Section
from tools.host.keys.seal import read_tlv
from tools.host.outside.issuer import Advice, Payment
from tools.host.store.ledger import Ledger
from tools.host.store.schema_upstream import upstream
from tools.sim.acquirer import AcquirerSimulator
from tools.sim.acquirer_books import Entry

TID, MID = "KASSA001", "898000000000001"


class Bench:
    """`sim`: the acquirer; `acquirer`: the adapter on `ledger`. A restarted adapter knows only what the ledger has."""

    def __init__(self, folder: Path, dialect: str = "cup-1987", **settings: Any) -> None:
        self.sim = AcquirerSimulator(folder, dialect).start()
        self.ledger = Ledger(folder / "acquirer.db")
        self._more = settings
        self.acquirer = self.new()
        self._uids = itertools.count(1)
        self.card = Card()

    def section(self, **more: Any) -> Section:
        held = self.sim.secrets()
        return Section("[card]", self.sim.settings(**{**self._more, **more}), lambda name: held[name])

    def new(self, **more: Any) -> CardAcquirer:
        """Another adapter on the same ledger."""
        section = self.section(**more)
        made = adapter.create(section, self.ledger)
        section.done()
        return made

    async def restart(self) -> None:
        """The process ends, and another one goes on with what is in the database."""
        await self.acquirer.close()
        self.acquirer = self.new(answer_ms=5000)

    def payment(self, amount: int = 1250, type: str = "22", proven: bool = False, **tags: str) -> Payment:
        """A payment with a fresh tap."""
        tap = read_tlv(self.card.tap(amount, **tags))
        uid = next(self._uids).to_bytes(16)
        return Payment(uid, True, amount, "0156", "token", tap, proven, type, TID, MID)

    def advice(self, about: Payment, amount: int, type: str) -> Advice:
        """A void (23), tip (34) or adjustment (32)."""
        return Advice(next(self._uids).to_bytes(16), about.uid, amount, type, TID, MID)

    def row(self, uid: bytes) -> Any:
        """What is stored about a payment."""
        with self.ledger.read() as db:
            return requests.find(db, TID, uid)

    def entry(self, uid: bytes) -> Entry | None:
        """What the acquirer has in its books about it."""
        row = self.row(uid)
        if row is None or not row.sent:
            return None
        at = translate.times(row.sent)
        text = f"{at['sent']:%m%d%H%M%S}" if self.sim.dialect_name == "cup-1987" else f"{at['local']:%y%m%d%H%M%S}"
        return self.sim.books.entries.get((TID, row.stan, text))

    def agrees(self, uid: bytes) -> bool:
        """Whether we and the acquirer say the same of a payment: approved and not reversed, or else nothing."""
        row, entry = self.row(uid), self.entry(uid)
        here = row is not None and row.state == requests.YES
        there = entry is not None and entry.reversed_on is None
        if not here or entry is None:
            return here == there
        return there and row.worth == entry.worth and row.rrn in ("", entry.rrn)  # "": a duplicate's answer has none

    def ours(self) -> int:
        """What the acquirer owes for all of it, as we have it, minor units."""
        with self.ledger.read() as db:
            return sum(row.worth for row in db.execute(select(upstream).where(upstream.c.state == requests.YES)))

    def close(self) -> None:
        self.sim.stop()
        self.ledger.close()
