# SPDX-License-Identifier: MIT
"""What the database contains, and what it must never contain."""

from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from host_tests.harness.host.card import Card
from host_tests.harness.host.desk import rows
from host_tests.harness.host.terminal import Terminal
from tools.sim.host import Host

CARDS = ("4761730000000011", "4761730000000029", "4761731000000001")


def busy_day(host: Host, till: Terminal) -> list[bytes]:
    """Send one of everything; returns the card data of all bodies in clear."""
    bodies = []
    for pan in CARDS:
        card = Card(pan)
        for amount in (100, 250):
            bodies.append(card.tap(amount))
            till.ask(till.sale(till.record(amount, bodies[-1]), deferred=amount == 250))
    undone = till.record(777, Card(CARDS[0], atc=50).tap(777), kind=0x52)
    till.ask(till.sale(undone))
    till.ask(till.reversal(undone))
    host.mood = "decline 51"
    till.ask(till.sale(till.record(900, Card(CARDS[0], atc=60).tap(900))))
    host.mood = "normal"
    till.ask(till.cash(till.record(4000, type=0x71)))
    return bodies


def images(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(home.glob("host.db*")))


@pytest.mark.on_sqlite("reads its files")
def test_no_card_number_or_track_in_the_database(host: Host, till: Terminal) -> None:
    bodies = busy_day(host, till)
    image = images(host.home)
    needles = [body[2:21] for body in bodies] + [body[40:60] for body in bodies]
    for pan in CARDS:
        needles += [pan.encode(), bytes.fromhex(pan), pan.encode().hex().encode(), pan.encode("utf-16-le")]
        needles += [bytes.fromhex(f"0{pan[:-1]}"), pan[1:].encode()]
    assert image and not [needle.hex() for needle in needles if needle in image]


@pytest.mark.on_sqlite("reads its files")
def test_the_scan_finds_a_card_number_that_is_there(host: Host, till: Terminal) -> None:
    busy_day(host, till)
    with host.ledger.write() as db:
        db.execute(
            text("INSERT INTO audit (tid, number, at, what, detail) VALUES ('', 1, '', '', :pan)"), {"pan": CARDS[0]}
        )
    assert CARDS[0].encode() in images(host.home)


def test_wire_log_holds_every_frame_and_no_card_number(host: Host, till: Terminal) -> None:
    busy_day(host, till)
    log = (host.home / "wire.log").read_text().lower()
    assert log.count('"up"') == log.count('"down"') == 11
    for pan in CARDS:
        assert pan not in log and pan.encode().hex() not in log


def test_every_payment_sums_to_zero(host: Host, till: Terminal) -> None:
    busy_day(host, till)
    assert rows(host, "SELECT count(*) FROM entry") == [(18,)]
    assert rows(host, "SELECT uid FROM entry GROUP BY tid, uid HAVING sum(amount) <> 0") == []
    assert rows(host, "SELECT sum(amount) FROM payment WHERE state = 'APPROVED'") == [(3 * 350 + 4000,)]
    assert host.view()["accounts"]["card receivable"] == 3 * 350 and host.view()["unbalanced"] == []


def test_entries_and_closed_batches_cannot_be_changed(host: Host, till: Terminal) -> None:
    busy_day(host, till)
    for count in (5, 6):
        till.ask(till.close(1050, count))
    for statement in (
        "UPDATE entry SET amount = 1",
        "DELETE FROM entry",
        "DELETE FROM audit",
        "UPDATE batch SET state = 'open'",
        "INSERT INTO entry SELECT tid, 'none', account, reason, mid, amount, at, day FROM entry",
        "INSERT INTO entry SELECT tid, uid, account, reason, mid, amount, at, day FROM entry",
        "INSERT INTO entry SELECT tid, uid, account, 'x', mid, 'a lot', at, day FROM entry",
    ):
        with pytest.raises(DatabaseError), host.ledger.write() as db:
            db.execute(text(statement))


@pytest.mark.on_sqlite("its pragmas")
def test_every_commit_is_on_disk(host: Host) -> None:
    with host.ledger.write() as db:
        assert db.execute(text("PRAGMA synchronous")).scalar_one() == 2
        assert db.execute(text("PRAGMA journal_mode")).scalar_one() == "wal"


def test_the_view_shows_the_ledger_without_card_numbers(host: Host, till: Terminal) -> None:
    busy_day(host, till)
    data = httpx.get(f"http://127.0.0.1:{host.page_port}/api/ledger").json()
    assert {"payments", "batches", "terminals", "counters"} <= set(data)
    assert data["batches"][0] | {"card_amount": 1050, "card_count": 6, "cash_amount": 4000} == data["batches"][0]
    assert not [pan for pan in CARDS if pan in str(data)]


def test_a_program_sets_the_mood_and_bad_requests_are_refused(host: Host) -> None:
    url = f"http://127.0.0.1:{host.page_port}/api/mood"
    assert httpx.post(url, json={"mood": "slow 100"}).json() == {"mood": "slow 100"}
    assert httpx.post(url, json={"mood": "sulky"}).status_code == 400
    assert httpx.post(url, json=["normal"]).status_code == 400
    assert httpx.post(url, content='{"mood": "silent"}', headers={"content-type": "text/plain"}).status_code == 415
    assert host.mood == "slow 100"
