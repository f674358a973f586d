# SPDX-License-Identifier: MIT
"""What was sent to the card acquirer, as stored: once for each payment, and only from the state that is expected."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tools.host.acquirers.card import dialect, requests
from tools.host.acquirers.card.requests import ASKED, NO, UNDOING, UNDONE, YES, New
from tools.host.store.ledger import Ledger

TID, MID = "KASSA001", "898000000000001"
SALE = dialect.load("cup-1987").transactions["sale"]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "host.db")
    yield ledger
    ledger.close()


def new(number: int = 1, stan: str = "000001", tid: str = TID) -> New:
    return New(tid, number.to_bytes(16), MID, SALE, 1250, "0156", 1250, stan)


def opened(ledger: Ledger, *args: Any, **more: Any) -> tuple[Any, bool]:
    with ledger.write() as db:
        return requests.open_(db, new(*args, **more))


def answered(ledger: Ledger, row: Any, state: str, day: str = "2026-11-23") -> Any:
    with ledger.write() as db:
        return requests.end(db, row, state, {"code": "00", "day": day, "rrn": f"{row.stan:0>12}"})


def undone(ledger: Ledger, number: int, day: str = "2026-11-23") -> Any:
    with ledger.write() as db:
        row = requests.begin_undo(db, TID, number.to_bytes(16), "000099")
    if row.state == UNDOING:
        with ledger.write() as db:
            row, _ = requests.send_undo(db, row)
            requests.end_undo(db, row, day, "00")
    return row


def state(ledger: Ledger, number: int = 1) -> str:
    with ledger.read() as db:
        found = requests.find(db, TID, number.to_bytes(16))
    assert found is not None
    return found.state


def test_a_request_keeps_the_stan_and_time_of_its_first_sending(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, is_new = opened(ledger)
    monkeypatch.setattr(requests, "now", lambda: first.sent + 60_000)
    again, is_new_again = opened(ledger, stan="000002")
    assert (is_new, is_new_again) == (True, False)
    assert (again.stan, again.sent, again.state) == ("000001", first.sent, ASKED)
    other, is_new = opened(ledger, stan="000003", tid="KASSA002")  # uids are unique per terminal only
    assert is_new and other.stan == "000003"


def test_a_final_answer_stays_and_a_late_one_changes_nothing(ledger: Ledger) -> None:
    row, _ = opened(ledger)
    assert answered(ledger, row, ASKED).state == ASKED
    assert answered(ledger, row, NO).state == NO
    assert answered(ledger, row, YES).state == NO
    assert undone(ledger, 1).state == NO  # nothing is to be reversed
    row, _ = opened(ledger, 2)
    with ledger.write() as db:
        first = requests.begin_undo(db, TID, (2).to_bytes(16), "000098")
        again = requests.begin_undo(db, TID, (2).to_bytes(16), "000099")
    assert (first.state, first.undo_stan, again.undo_stan) == (UNDOING, "000098", "000098")
    assert answered(ledger, row, YES).state == UNDOING
    with ledger.write() as db:
        assert [requests.send_undo(db, again)[1] for _ in range(2)] == [True, False]


def test_what_is_undone_before_it_comes_is_never_sent(ledger: Ledger) -> None:
    assert undone(ledger, 1).state == UNDONE
    row, is_new = opened(ledger)
    assert (row.state, row.stan, is_new) == (UNDONE, "", False)


def test_a_day_has_what_was_approved_on_it_and_what_was_reversed_on_it_later(ledger: Ledger) -> None:
    for number in range(1, 7):
        row, _ = opened(ledger, number, f"{number:06}")
        if number < 6:
            answered(ledger, row, YES, "2026-11-24" if number == 2 else "2026-11-23")
    undone(ledger, 3)
    undone(ledger, 4, "2026-11-24")
    undone(ledger, 6)  # never known to be approved
    with ledger.write() as db:
        requests.begin_undo(db, TID, (5).to_bytes(16), "000099")  # the acquirer has not answered yet
    with ledger.read() as db:
        numbers = {
            day: tuple(sorted(int(row.stan) for row in rows) for rows in requests.of_day(db, day))
            for day in ("2026-11-23", "2026-11-24")
        }
        assert [row.stan for row in requests.open_rows(db, requests.now() + 1000)] == ["000005"]
        assert requests.open_rows(db, 0) == []
        assert [int(row.stan) for row in requests.by_rrn(db, ["000000000002"])] == [2]
    assert numbers == {"2026-11-23": ([1, 4, 5], []), "2026-11-24": ([2], [4])}


def test_totals_are_kept_as_they_were_sent_until_they_are_answered(ledger: Ledger) -> None:
    def open_(amount: int) -> tuple[Any, bool]:
        with ledger.write() as db:
            return requests.open_settlement(db, "2026-11-23", "156", {"debit_amount": amount}, f"{amount:06}")

    first, again = open_(1)
    assert not again
    second, again = open_(2)
    assert again and (second.stan, second.totals) == ("000001", first.totals)
    with ledger.write() as db:
        requests.end_settlement(db, first, {"debit_amount": 3}, "differs")
    third, again = open_(4)
    assert not again and (third.stan, third.result) == ("000004", None)
    with ledger.write() as db:
        requests.end_settlement(db, third, {"debit_amount": 4}, "balanced")
    assert open_(5)[0].stan == "000004" and open_(5)[0].result == "balanced"


def test_two_processes_never_take_the_same_number(ledger: Ledger) -> None:
    taken: list[str] = []
    counters = [requests.Numbers(ledger) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda counter=counter: taken.extend([counter.take() for _ in range(120)]))
        for counter in counters
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == len(taken) == 480


def test_numbers_go_round_and_are_never_zero(ledger: Ledger) -> None:
    numbers = requests.Numbers(ledger)
    numbers._next = numbers._end = 0
    numbers.take()
    numbers._next, numbers._end = 999_998, 1_000_001
    assert [numbers.take() for _ in range(3)] == ["999999", "000001", "000002"]
