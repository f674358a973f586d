# SPDX-License-Identifier: MIT
"""A host after some bad days, for the pages: settled days, differences, disputes, held payments, a restore, a hand-in."""

from __future__ import annotations

import datetime
from typing import NamedTuple

from sqlalchemy import select

from host_tests.harness.host import month, shop
from host_tests.harness.host.broken import journal
from host_tests.harness.host.desk import hand_in
from host_tests.harness.host.month import MERCHANT, OTHER, Shop
from host_tests.harness.host.terminal import Record, Terminal, element
from tools.host.books import differences, disputes, money, payment_file, settlement
from tools.host.operations import reconcile, settle_day
from tools.host.store.schema import payment
from tools.host.store.schema_behind import lost, restore
from tools.host.store.schema_books import difference
from tools.host.store.schema_books import settlement as settlements
from tools.sim.host import Host

PAYER = '[payer]\nname = "Kassa"\naccount = "DE89370400440532013000"\nbic = "COBADEFFXXX"\n'
DAYS = 5


class Aftermath(NamedTuple):
    """`days`: settled ones, the newest first. `held`: two payments. `uids`: of payments that are disputed, by state."""

    days: list[str]
    held: list[Record]
    uids: dict[str, str]


def make(host: Host, till: Terminal) -> Aftermath:
    """Let all of it happen to the merchant of KASSA001; OTHER has a settlement and a difference too."""
    (host.home / "kassa-host.toml").write_text(PAYER)
    shop.add_merchant(host.ledger, name="Tea & Co")
    trade = month.month(host, till, DAYS, 6)
    days = _settle(host)
    uids = _reconcile(host)
    _of_another(host, days[0])
    held = [_hold(host, till, trade, amount) for amount in (5200, 1890)]
    _restore(host)
    record = till.record(700, trade.cards[0].tap(700), kind=0x51)
    host.mood = "decline 51"
    hand_in(host, journal(record), status=1)
    host.mood = "normal"
    return Aftermath(days, held, uids)


def _settle(host: Host) -> list[str]:
    """Each day is settled; the oldest is paid, the next one failed after that, the others are ordered."""
    payer = payment_file.payer(host.home)
    days = [f"{datetime.date.today() - datetime.timedelta(days=n)}" for n in range(DAYS, 0, -1)]
    for number, day in enumerate(days):
        settle_day.run(host.ledger, day, host.home / "settlements", payer)
        with host.ledger.write() as db:
            if number < 2:
                settlement.paid(db, MERCHANT, day, "Ms Li")
            if number == 1:
                settlement.failed(db, MERCHANT, day, "Ms Li", "account closed")
    return days[::-1]


def _reconcile(host: Host) -> dict[str, str]:
    """An acquirer's file in which something of everything is wrong; then three disputes."""
    sales = payment.c.state == "APPROVED", payment.c.type == "22"
    with host.ledger.read() as db:
        rows = db.execute(select(payment).where(*sales).order_by(payment.c.number).limit(8)).all()
    lines = [f"{row.rrn},{money.text(row.worth - 50 * (row is rows[1]))},{row.day},0.05" for row in rows[1:]]
    path = host.home / "paid.csv"
    path.write_text("\n".join(["reference,amount,day,fee", *lines, lines[2], f"123456789012,45.00,{rows[0].day},"]))
    reconcile.run(host.ledger, path, "card", "Ms Li")
    with host.ledger.write() as db:
        for row in rows[3:6]:
            disputes.begin(db, row.rrn, row.worth, "Ms Li", "goods not received")
        disputes.end(db, rows[4].rrn, disputes.WON, "Ms Li", "slip was sent")
        disputes.end(db, rows[5].rrn, disputes.LOST, "Ms Li", "no slip")
        twice = next(row for row in differences.listed(db) if row.what == differences.TWICE)
        differences.explain_one(db, twice, "Ms Li", "sent back to the acquirer", "bank")
    return {state: row.uid for state, row in zip(("open", "won", "lost"), rows[3:6], strict=True)}


def _of_another(host: Host, day: str) -> None:
    host.register("KASSA009", OTHER, "12345678" + "9" * 8)
    with host.ledger.write() as db:
        (mine,) = settlement.of_day(db, day, MERCHANT)
        db.execute(settlements.insert(), {**mine._asdict(), "mid": OTHER, "name": "Book shop", "account": "6222029999"})
        (one, *_) = differences.listed(db)
        more = {
            "mid": OTHER,
            "subject": "missing there KASSA009 00",
            "reference": "999999999999",
            "tid": None,
            "uid": None,
        }
        db.execute(difference.insert(), {**one._asdict(), **more, "what": differences.MISSING_THERE})


def _hold(host: Host, till: Terminal, trade: Shop, amount: int) -> Record:
    """A payment that only the terminal has, and that the issuer refuses when it is uploaded."""
    record = till.record(amount, trade.cards[0].tap(amount), kind=0x52)
    assert till.ask(till.close(1, 999)).elements[48].hex()[30] == "2"
    host.mood = "decline 51"
    form = bytes.fromhex(f"22{record.batch.hex()}205600")
    named = element(61, record.batch + record.stan, 12)
    assert till.ask(till.payment(0x0320, "22", record, de_60=element(60, form, 14), de_61=named)).code == "12"
    host.mood = "normal"
    return record


def _restore(host: Host) -> None:
    """A restore that goes on, one that has ended, and what the latter did not bring back."""
    at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    row = {"tid": "KASSA001", "number": 1, "at": at, "first_epoch": 1, "epoch": 1, "after": 3, "newest": 8, "back": 2,
           "first_batch": 1, "open_batch": 3, "amount": 1230, "pending": 0, "waiting": 0, "ended": at}  # fmt: skip
    now = {"number": 2, "after": 8, "newest": 19, "back": 7, "amount": 24_150, "pending": None, "ended": None}
    gone = {"tid": "KASSA001", "epoch": 1, "first": 4, "last": 6, "at": at, "why": "lost with a backup"}
    with host.ledger.write() as db:
        db.execute(restore.insert(), [row, {**row, **now}])
        db.execute(lost.insert(), gone)
