# SPDX-License-Identifier: MIT
"""Payments that arrive together share their statements (transactions/together.py): nobody can tell from the outcome."""

from __future__ import annotations

import asyncio
import datetime
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import rows
from host_tests.harness.host.terminal import IKID, Record, Terminal
from tools.host.transactions import together
from tools.sim.host import Host

NOON = datetime.datetime(2026, 11, 23, 12, 0, 0)
_TABLES = (
    "SELECT epoch, sequence, uid, previous_tag, tag, kind, state FROM link ORDER BY sequence, uid",
    "SELECT class, uid, batch, stan, hash FROM message ORDER BY class, uid",
    """SELECT uid, mid, epoch, sequence, batch, settled_in, stan, type, amount, pan_token, atc, body_hash, body_counter,
        worth, state, code, text, quarantined FROM payment ORDER BY uid""",
    "SELECT uid, account, reason, amount FROM entry ORDER BY uid, account, reason",
    "SELECT account, amount FROM balance ORDER BY account",
    "SELECT batch, type, count, worth FROM turnover ORDER BY batch, type",
    "SELECT number, state FROM batch ORDER BY number",
    "SELECT what, count(*) FROM audit GROUP BY what ORDER BY what",
    "SELECT sequence, uid, amount FROM damaged ORDER BY sequence, uid",
    "SELECT message_mark, quarantine FROM terminal",
)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Host, Host]]:
    """Two hosts that know the same terminal, with payments of its first window."""
    hosts = [Host(tmp_path / name, now=lambda: NOON) for name in ("together", "alone")]
    for host in hosts:
        host.register("KASSA001", "898000000000001", IKID.hex())
        host.start()
    yield hosts[0], hosts[1]
    for host in hosts:
        host.stop()


def answered(host: Host, frames: list[bytes]) -> list[tuple[Any, ...]]:
    """The answers to frames that arrive together."""
    messages = [host.service.authenticated(frame[2:]) for frame in frames]
    assert host._loop is not None
    work = host.service.answer([message for message in messages if message is not None])
    replies = asyncio.run_coroutine_threadsafe(work, host._loop).result(30)
    return [(message.stan, fields["39"], fields["63"][38:]) for message, fields in replies]


def deferred(till: Terminal, record: Record, **replace: bytes) -> list[bytes]:
    return [till.sale(record, deferred=True, **replace)]


def damaged(till: Terminal, record: Record) -> list[bytes]:
    return deferred(till, Record(record.raw[:100] + bytes([record.raw[100] ^ 1]) + record.raw[101:]))


def stan_again(till: Terminal, card: Card) -> list[bytes]:
    till.stan -= 1
    return deferred(till, till.record(300, card.tap(300)))


def key_again(till: Terminal, card: Card, before: Record) -> list[bytes]:
    counter, till.counter = till.counter, int.from_bytes(before.raw[38:42], "big") - 1
    record = till.record(300, card.tap(300))
    till.counter = counter
    return deferred(till, record)


def foreign_batch(till: Terminal, card: Card) -> list[bytes]:
    till.batch += 3
    frames = deferred(till, till.record(300, card.tap(300)))
    till.batch -= 3
    return frames


def out_of_order(till: Terminal, card: Card) -> list[bytes]:
    late, soon = till.record(300, card.tap(300)), till.record(301, card.tap(301))
    return deferred(till, soon) + deferred(till, late)


_ODD: dict[str, Callable[[Terminal, Card, Record], list[bytes]]] = {
    "same again": lambda till, _, before: deferred(till, before),
    "other STAN": lambda till, card, _: deferred(till, till.record(300, card.tap(300)), de_11=bytes.fromhex("009999")),
    "STAN again": lambda till, card, _: stan_again(till, card),
    "damaged": lambda till, card, _: damaged(till, till.record(300, card.tap(300))),
    "wrong amount": lambda till, card, _: deferred(till, till.record(301, card.tap(300))),
    "cash": lambda till, _, __: [till.cash(till.record(300, type=0x71))],
    "void entry": lambda till, card, _: [till.void(till.record(300, card.tap(300), kind=0x52))],
    "card again": lambda till, card, _: deferred(till, till.record(300, Card(atc=card.atc - 2).tap(300))),
    "out of order": lambda till, card, _: out_of_order(till, card),
    "one missing": lambda till, card, _: [] if till.record(300, card.tap(300)) else [],
    "broken link": lambda till, card, _: deferred(till, till.record(300, card.tap(300), at_56=b"otherTag")),
    "key again": key_again,
    "foreign batch": lambda till, card, _: foreign_batch(till, card),
    "online": lambda till, card, _: [till.sale(till.record(300, card.tap(300), kind=0x52))],
    "no cryptogram": lambda till, card, _: deferred(till, till.record(300, card.tap(300, t9F26="00" * 8))),
    "no card": lambda till, _, __: deferred(till, till.record(300)),
}


def window(till: Terminal, card: Card, size: int, at: int = -1, odd: str = "") -> list[bytes]:
    """Deferred sales of one terminal; the one at `at` is odd."""
    frames: list[bytes] = []
    before = till.record(50, card.tap(50))
    frames += deferred(till, before)
    for index in range(size):
        if index == at:
            frames += _ODD[odd](till, card, before)
        before = till.record(100 + index, card.tap(100 + index))
        frames += deferred(till, before)
    return frames


def compare(two: tuple[Host, Host], frames: list[bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """Both hosts get the window; the second does every payment by itself."""
    shared = answered(two[0], frames)
    with monkeypatch.context() as patch:
        patch.setattr(together, "_PLAIN", frozenset())
        assert answered(two[1], frames) == shared
    for query in _TABLES:
        assert rows(two[0], query) == rows(two[1], query), query


@pytest.mark.parametrize("odd", _ODD)
def test_an_odd_payment_in_a_window_becomes_what_it_becomes_by_itself(
    two: tuple[Host, Host], card: Card, odd: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    till, choose = Terminal(), random.Random(odd)
    compare(two, window(till, card, 2), monkeypatch)  # opens the batch
    for _ in range(3):
        size = choose.randrange(1, 8)
        compare(two, window(till, card, size, choose.randrange(size), odd), monkeypatch)
        compare(two, window(till, card, 3), monkeypatch)  # and what follows


@pytest.mark.on_sqlite("its query plans")
@pytest.mark.parametrize("size", [0, 7])
def test_no_query_scans_a_table(two: tuple[Host, Host], card: Card, size: int) -> None:
    till, seen = Terminal(), {}
    answered(two[0], window(till, card, 2))

    def note(_: Any, __: Any, statement: str, parameters: Any, *more: Any) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            seen[statement] = parameters[0] if more[-1] else parameters

    event.listen(two[0].ledger._writer, "before_cursor_execute", note)
    answered(two[0], window(till, card, size))
    event.remove(two[0].ledger._writer, "before_cursor_execute", note)
    assert any("pan_token" in statement and "atc IN" in statement for statement in seen)
    with two[0].ledger.read() as db:
        for statement, parameters in seen.items():
            for row in db.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", tuple(parameters)):
                assert not row[3].startswith("SCAN") or "outbox_open" in row[3] or "CONSTANT" in row[3], statement


def test_a_window_of_plain_payments_takes_few_statements(two: tuple[Host, Host], card: Card) -> None:
    till, count = Terminal(), [0]
    answered(two[0], window(till, card, 2))
    event.listen(two[0].ledger._writer, "before_cursor_execute", lambda *_: count.__setitem__(0, count[0] + 1))
    answers = answered(two[0], window(till, card, 63))
    assert [code for _, code, _ in answers] == ["00"] * 64
    assert count[0] < 40, "a payment by itself takes seven"
