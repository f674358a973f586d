# SPDX-License-Identifier: MIT
"""The connection: sign-on, echo, back-off, many in flight, answers that nobody wants, and who is at the other end."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from host_tests.acquirer.conftest import New
from host_tests.harness.acquirer.bench import TID, Bench
from tools.host.acquirers.card import requests, translate
from tools.host.errors import ProviderFault
from tools.host.keys import pki
from tools.host.store.ledger import Ledger

DIALECTS = pytest.mark.parametrize("dialect", ["cup-1987", "iso-1993"])


async def until(that: Callable[[], bool]) -> None:
    """Let the loop run until something holds. Raises TimeoutError."""
    async with asyncio.timeout(10):
        while not that():
            await asyncio.sleep(0.002)


async def undo(bench: Bench, uid: bytes) -> None:
    """Reverse it, again and again, as the host does."""
    async with asyncio.timeout(10):
        while True:
            with contextlib.suppress(ProviderFault):
                return await bench.acquirer.undo(TID, uid)


@DIALECTS
def test_one_connection_carries_many_requests_at_once(new_bench: New, dialect: str) -> None:
    bench = new_bench(dialect)

    async def work() -> None:
        payments = [bench.payment(100 + number) for number in range(40)]
        bench.sim.plan("late", times=20)
        decided = asyncio.gather(*(bench.acquirer.decide(payment) for payment in payments))
        await asyncio.to_thread(bench.sim.wait, lambda: bench.sim.heard["request"] == 40)
        bench.sim.release()
        assert {decision.code for decision in await decided} == {"00"}
        assert all(bench.agrees(payment.uid) for payment in payments)
        stans = {bench.row(payment.uid).stan for payment in payments}
        assert len(stans) == 40 and bench.sim.heard["sign_on"] == 1
        await bench.acquirer.close()

    asyncio.run(work())
    assert bench.ours() == bench.sim.books.owed() == sum(100 + number for number in range(40))


@DIALECTS
def test_a_silent_connection_is_tested_and_a_dead_one_replaced(new_bench: New, dialect: str) -> None:
    bench = new_bench(dialect, echo_ms=20, answer_ms=1000)

    async def work() -> None:
        assert (await bench.acquirer.decide(bench.payment())).code == "00"
        await asyncio.to_thread(bench.sim.wait, lambda: bench.sim.heard["echo"] >= 2)
        assert bench.sim.heard["sign_on"] == 1
        bench.sim.plan("deaf", "echo")
        await asyncio.to_thread(bench.sim.wait, lambda: bench.sim.heard["sign_on"] == 2)
        assert bench.acquirer.link.counters["no_echo"] == 1
        await until(lambda: bench.acquirer.link.counters["connected"] == 2)
        assert (await bench.acquirer.decide(bench.payment())).code == "00"
        await bench.acquirer.close()

    asyncio.run(work())


@DIALECTS
def test_a_refused_sign_on_decides_nothing_and_is_tried_again(new_bench: New, dialect: str) -> None:
    bench = new_bench(dialect)

    async def work() -> None:
        bench.sim.plan("refuse", "sign_on", times=2)
        payment = bench.payment()
        with pytest.raises(ProviderFault):
            await bench.acquirer.decide(payment)
        assert bench.row(payment.uid) is None  # nothing was sent
        await until(lambda: bench.acquirer.link.counters["connected"] == 1)
        assert (await bench.acquirer.decide(payment)).code == "00"
        assert bench.sim.heard["sign_on"] == 3 and bench.acquirer.link.counters["not_connected"] == 2
        await bench.acquirer.close()

    asyncio.run(work())


def test_after_a_failure_the_next_attempt_waits_and_requests_do_not(new_bench: New) -> None:
    bench = new_bench(retry_ms=60_000, retry_longest_ms=600_000)

    async def work() -> None:
        bench.sim.stop()
        for _ in range(20):
            with pytest.raises(ProviderFault, match="not reached"):
                await bench.acquirer.decide(bench.payment())
        assert bench.acquirer.link.counters["not_connected"] == 1
        await bench.acquirer.close()

    asyncio.run(work())


@DIALECTS
def test_what_nobody_asked_for_is_counted_and_changes_nothing(new_bench: New, dialect: str) -> None:
    bench = new_bench(dialect, answer_ms=300)
    counters = bench.acquirer.link.counters
    answer = "0210" if dialect == "cup-1987" else "1210"
    code = "00" if dialect == "cup-1987" else "000"

    async def work() -> None:
        first = bench.payment()
        bench.sim.plan("twice")
        assert (await bench.acquirer.decide(first)).code == "00"
        await until(lambda: counters["duplicate"] == 1)
        bench.sim.inject(answer, {7: "1129120000", 11: "999999", 39: code, 41: TID})
        await until(lambda: counters["unknown"] == 1)
        for mood, count in (("amount", 1), ("terminal", 2)):
            bench.sim.plan(mood)
            with pytest.raises(ProviderFault, match="something else"):
                await bench.acquirer.decide(bench.payment())
            assert counters["mismatch"] == count
        assert bench.sim.heard["sign_on"] == 1
        await bench.acquirer.close()

    asyncio.run(work())


@DIALECTS
def test_a_late_answer_is_used_if_it_is_still_wanted(new_bench: New, dialect: str) -> None:
    bench = new_bench(dialect, answer_ms=300)

    async def work() -> None:
        wanted, undone = bench.payment(1000), bench.payment(700)
        bench.sim.plan("late", times=2)
        for payment in (wanted, undone):
            with pytest.raises(ProviderFault, match="does not answer"):
                await bench.acquirer.decide(payment)
        await undo(bench, undone.uid)
        bench.sim.release()
        await until(lambda: bench.row(wanted.uid).state == requests.YES)
        assert bench.acquirer.link.counters["late"] == 2
        assert bench.row(undone.uid).state == requests.UNDONE
        assert (await bench.acquirer.decide(wanted)).code == "00"  # without asking again
        assert (await bench.acquirer.decide(undone)).code == "12"
        assert bench.sim.heard["request again"] == 0
        await bench.acquirer.close()

    asyncio.run(work())
    assert bench.ours() == bench.sim.books.owed() == 1000


def test_a_lost_session_key_is_asked_for_again(new_bench: New) -> None:
    bench = new_bench()

    async def work() -> None:
        assert (await bench.acquirer.decide(bench.payment())).code == "00"
        bench.sim.forget()
        payment = bench.payment()
        with pytest.raises(ProviderFault, match="MAC"):
            await bench.acquirer.decide(payment)
        await until(lambda: bench.acquirer.link.counters["connected"] == 2)
        assert (await bench.acquirer.decide(payment)).code == "00"
        assert bench.acquirer.link.counters["mac"] == 1
        await bench.acquirer.close()

    asyncio.run(work())
    assert bench.ours() == bench.sim.books.owed() == 2500


def test_another_zone_key_is_noticed_at_the_sign_on(new_bench: New) -> None:
    bench = new_bench()
    bench.sim.zone_key = bytes(range(16))  # what the host is told; the acquirer keeps its own
    acquirer = bench.new()

    async def work() -> None:
        with pytest.raises(ProviderFault):
            await acquirer.decide(bench.payment())
        await acquirer.close()

    asyncio.run(work())
    assert acquirer.link.counters["not_connected"] == 1 and not bench.sim.books.entries


@pytest.mark.parametrize("fault", ["trust", "name", "certificate"])
def test_nobody_else_is_taken_for_the_acquirer_or_for_us(new_bench: New, fault: str) -> None:
    bench = new_bench()
    other = pki.authority("Somebody else")
    if fault == "trust":
        bench.sim.trust = other.certificate_pem
    elif fault == "certificate":
        bench.sim.client = pki.terminal_identity(other, "kassa-host")
    acquirer = bench.new(**{"name": "bank.test"} if fault == "name" else {})

    async def work() -> None:
        payment = bench.payment()
        for _ in range(2):
            with pytest.raises(ProviderFault):
                await acquirer.decide(payment)
        assert bench.row(payment.uid) is None
        await acquirer.close()

    asyncio.run(work())
    assert bench.sim.heard.total() == 0 and not bench.sim.books.entries


def test_stans_are_used_once_by_any_number_of_processes(tmp_path: Path) -> None:
    ledgers = [Ledger(tmp_path / "host.db") for _ in range(3)]
    counters = [requests.Numbers(ledger) for ledger in ledgers]
    taken = [counter.take() for _ in range(150) for counter in counters]
    assert len(set(taken)) == 450 and all(len(stan) == 6 and stan != "000000" for stan in taken)
    for ledger in ledgers:
        ledger.close()


def test_undone_before_it_comes_is_refused_without_asking(new_bench: New) -> None:
    bench: Bench = new_bench()

    async def work() -> None:
        payment = bench.payment()
        await bench.acquirer.undo(TID, payment.uid)
        assert (await bench.acquirer.decide(payment)).code == "12"
        await bench.acquirer.undo(TID, payment.uid)

    asyncio.run(work())
    assert bench.sim.heard.total() == 0


def test_an_answer_that_leaves_out_the_amount_is_no_answer(new_bench: New) -> None:
    bench = new_bench()

    async def work() -> None:
        payment = bench.payment()
        bench.sim.plan("late")
        task = asyncio.create_task(bench.acquirer.decide(payment))
        await asyncio.to_thread(bench.sim.wait, lambda: bench.sim.heard["request"] == 1)
        row = bench.row(payment.uid)
        at = f"{translate.times(row.sent)['sent']:%m%d%H%M%S}"
        bench.sim.inject("0210", {7: at, 11: row.stan, 39: "00", 41: TID})
        with pytest.raises(ProviderFault, match="DE 4"):
            await task
        assert bench.row(payment.uid).state == requests.ASKED
        await bench.acquirer.close()

    asyncio.run(work())


def test_what_a_restored_backup_forgot_is_refused_by_the_issuer_and_not_paid_twice(new_bench: New) -> None:
    bench = new_bench()

    async def work() -> None:
        payment = bench.payment()
        assert (await bench.acquirer.decide(payment)).code == "00"
        with bench.ledger.write() as db:
            db.execute(text("DELETE FROM upstream"))
        again = await bench.acquirer.decide(payment)
        assert (again.code, again.text) == ("59", "Card not genuine")
        await bench.acquirer.close()

    asyncio.run(work())
    assert bench.sim.books.owed() == 1250 and bench.ours() == 0


def test_names_that_nobody_can_look_up_do_not_stop_the_acquirer(new_bench: New) -> None:
    """Looking up a wallet's name takes a thread of the event loop until the name server answers."""
    bench = new_bench(answer_ms=5000)
    gate = threading.Event()

    async def work() -> None:
        assert (await bench.acquirer.decide(bench.payment())).code == "00"
        loop = asyncio.get_running_loop()
        stuck = [loop.run_in_executor(None, gate.wait, 60) for _ in range(64)]
        try:
            async with asyncio.timeout(20):
                assert (await bench.acquirer.decide(bench.payment())).code == "00"
        finally:
            gate.set()
            await asyncio.gather(*stuck)
        await bench.acquirer.close()

    asyncio.run(work())
