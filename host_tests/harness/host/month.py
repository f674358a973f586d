# SPDX-License-Identifier: MIT
"""A shop's month at the host, for the pages: sales of all kinds on every day, and everything that can go wrong."""

from __future__ import annotations

import datetime
import os
import random
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy import func, insert, select

from host_tests.harness.host.card import Card
from host_tests.harness.host.terminal import Record, Terminal, element
from tools.host.books import double_entry, totals
from tools.host.store import numbers
from tools.host.store.schema import link, payment, terminal
from tools.sim.host import Host

MERCHANT, OTHER = "898000000000001", "898000000000002"
_PANS = ("4761730000000011", "4761730000000029", "4761731000000001")
_2000 = datetime.datetime(2000, 1, 1)


class Shop:
    """A till that sells. `at`: the time it is, local, for terminal and host; moved by the caller."""

    def __init__(self, host: Host, till: Terminal, at: datetime.datetime) -> None:
        self.host, self.till, self.at = host, till, at
        self.cards = [Card(pan) for pan in _PANS]
        self._chance = random.Random(7)
        self._codes = 0

    def card(self, amount: int, *, offline: bool = False, answered: str = "") -> Record:
        """A sale by card, online, or taken without the host and sent now. `answered`: the issuer's refusal."""
        card = self._chance.choice(self.cards)
        record = self._record(amount, card.tap(amount), kind=0x51 if offline else 0x52)
        self.host.mood = f"decline {answered}" if answered else "normal"
        self.till.ask(self.till.sale(record, deferred=offline))
        self.host.mood = "normal"
        return record

    def cash(self, amount: int) -> Record:
        record = self._record(amount, kind=0x51, type=0x71)
        assert self.till.ask(self.till.cash(record)).code == "00"
        return record

    def code(self, amount: int) -> Record:
        """A payment by a customer's code."""
        self._codes += 1
        code = b"13%015d0" % self._codes  # endings such as 51 mean something to the wallet
        record = self._record(amount, b"\xdf\x03" + bytes((len(code),)) + code, type=0x74, at_42=b"\3", at_48=bytes(5))
        record.entry = b"\3\x20"
        assert self.till.ask(self.till.payment(0x0200, "74", record)).code == "00"
        return record

    def void(self, sale: Record) -> Record:
        body = b"\xdf\x02\x10" + sale.uid
        more = {"at_42": b"\0", "at_48": sale.raw[48:53], "at_54": b"\0\1"}
        record = self._record(int(sale.amount.hex()), body, type=0x23, **more)
        named = {"de_3": b"\x20\0\0", "de_22": b"\0\x20", "de_61": element(61, sale.batch + sale.stan, 12)}
        assert self.till.ask(self.till.payment(0x0200, "23", record, **named)).code == "00"
        return record

    def reverse(self, sale: Record) -> None:
        assert self.till.ask(self.till.reversal(sale)).code == "00"

    def close(self) -> str:
        """Close the batch with the host's own totals; returns the result."""
        with self.host.ledger.read() as db:
            ours = totals.of_batch(db, "KASSA001", self.till.epoch, f"{self.till.batch:06}")
        digits = f"{ours.debit_amount:012}{ours.debit_count:03}{ours.credit_amount:012}{ours.credit_count:03}"
        form = {48: element(48, bytes.fromhex(digits + "0" * 32), 62), 49: b"156"}
        result = self.till.ask(self.till.management(0x0500, "201", os.urandom(16), form)).elements[48].hex()[30]
        self.till.batch += result == "1"
        return result

    def report(self, waiting: int) -> None:
        """Send a status: payments that wait, free sectors, damaged cells, watermark."""
        body = struct.pack(">BHHHI", 1, waiting, 1900, 3, self.till.sequence)
        self.till.ask(self.till.management(0x0820, "362", os.urandom(16), {62: element(62, body)}))

    def day(self, day: datetime.date, sales: int) -> None:
        """A usual day, and the close of its batch."""
        for n in range(sales):
            self.at = datetime.datetime.combine(day, datetime.time(9, 12)) + datetime.timedelta(
                minutes=n * 540 // sales
            )
            amount = self._chance.randrange(180, 9800) // 10 * 10
            (self.card, self.card, self.card, self.code, self.code, self.cash)[self._chance.randrange(6)](amount)
        self.at = datetime.datetime.combine(day, datetime.time(21, 40))
        assert self.close() == "1"

    def _record(self, amount: int, body: bytes = b"", *, kind: int = 0x52, type: int = 0x22, **more: bytes) -> Record:
        taken = struct.pack(">I", int((self.at - _2000).total_seconds()))
        return self.till.record(amount, body, kind=kind, type=type, **{"at_44": taken, **more})


@contextmanager
def dated(shop: Shop) -> Iterator[None]:
    """While this holds, the host's clock shows the shop's time, also in its own records."""

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # pyright: ignore[reportIncompatibleMethodOverride]
            return shop.at.astimezone(tz) if tz else shop.at

    before = shop.host.now
    shop.host.now = lambda: shop.at
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(double_entry, "datetime", SimpleNamespace(datetime=Clock, UTC=datetime.UTC))
        patch.setattr(numbers, "time", SimpleNamespace(time_ns=lambda: int(shop.at.timestamp() * 1e9)))
        patch.setattr(numbers, "_last", 0)
        yield
    shop.host.now = before


def month(host: Host, till: Terminal, days: int = 29, sales: int = 12) -> Shop:
    """Days of usual trade, the last one yesterday."""
    shop = Shop(host, till, datetime.datetime.now())
    today = datetime.date.today()
    with dated(shop):
        for n in range(days, 0, -1):
            day = today - datetime.timedelta(days=n)
            shop.day(day, max(2, sales + (day.weekday() >= 5) * 6 - n % 5))
    return shop


def trouble(shop: Shop) -> dict[str, Record]:
    """Today: one of everything that the pages tell apart."""
    shop.at = datetime.datetime.now()
    made = {
        "approved": shop.card(1250),
        "declined": shop.card(8800, answered="51"),
        "refused later": shop.card(3600, offline=True, answered="05"),
        "code": shop.code(1990),
        "cash": shop.cash(800),
        "voided": shop.card(4560),
        "reversed": shop.card(2700),
    }
    made["void"] = shop.void(made["voided"])
    shop.reverse(made["reversed"])
    shop.report(2)
    return made


def another_merchant(host: Host) -> str:
    """Register a terminal of another merchant, with a payment like the newest one; returns its uid."""
    host.register("KASSA009", OTHER, "12345678" + "9" * 8)
    uid = os.urandom(16).hex()
    with host.ledger.write() as db:
        row = db.execute(select(payment).order_by(payment.c.number.desc()).limit(1)).one()
        new = {
            "tid": "KASSA009",
            "mid": OTHER,
            "uid": uid,
            "number": numbers.new(),
            "original": None,
            "rrn": "999999999999",
        }
        db.execute(insert(payment), {**row._asdict(), **new})
    return uid


def stuck(host: Host, uid: bytes) -> None:
    """Let a payment look as if it had waited for its answer for an hour, and records of the terminal be missing."""
    long_ago = datetime.datetime.now(datetime.UTC) - datetime.timedelta(hours=1)
    values = {"state": "RECEIVED", "number": numbers.first_at(time.time() - 3600), "received": long_ago.isoformat()}
    with host.ledger.write() as db:
        newest = db.execute(select(func.max(link.c.sequence)).where(link.c.tid == "KASSA001")).scalar_one()
        db.execute(
            payment.update().where(payment.c.uid == uid.hex()).values(**values, code=None, answered=None, day=None)
        )
        db.execute(terminal.update().where(terminal.c.tid == "KASSA001").values(reported_sequence=newest + 3))
