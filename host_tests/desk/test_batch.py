# SPDX-License-Identifier: MIT
"""Batch totals and the 62 digits of DE 48; the disposition of a payment."""

from __future__ import annotations

import random

import pytest

from host_tests.harness.uplink.till import NO, Till, TinyHost, track
from kassa.desk.batch import of_host
from tools.journal import image

CASH = "71"


def digits(de48: str) -> dict[str, int]:
    """The fields of DE 48, at the positions given in the specification."""
    assert len(de48) == 62 and de48.isdecimal()
    places = {"debit": (0, 12), "debits": (12, 15), "credit": (15, 27), "credits": (27, 30), "result": (30, 31)}
    found = {name: int(de48[start:end]) for name, (start, end) in places.items()}
    assert de48[31:] == "0" * 31, "foreign cards: all zero"
    return found


def test_an_empty_batch_has_totals_of_zero(till: Till) -> None:
    de48, *counts = till.close()
    assert set(digits(de48).values()) == {0} and counts == [0, 0, 0, 0, 0]


def test_totals_are_the_sum_of_settled_payments(till: Till) -> None:
    """Settled card payments count; refused, declined, reversed and void ones do not. Cash is counted separately."""
    host = TinyHost(till)
    host.connect()
    till.sells(5, 1_000_000)
    till.cash(700)
    till.cash(55)
    codes = dict(zip(range(1, 8), ["00", "51", "00", "11", "05", "00", "00"], strict=True))
    host.settle(lambda request: codes[request.record.sequence])
    for amount, code in ((300, "00"), (400, "61"), (500, "96")):  # approved; declined; no final answer: reversed
        till.intent(amount, track(50))
        host.settle(lambda request, code=code: code if request.mti == "0200" else "00")
    sequence = till.intent(999, track(51))
    assert till.unsent(sequence, 999, track(51), False)
    host.settle()
    de48, debits, debit_sum, cash_count, cash_sum, not_paid = till.close()
    assert (debits, debit_sum) == (4, 1_000_000 + 1_000_002 + 1_000_003 + 300)
    assert (cash_count, cash_sum, not_paid) == (2, 755, 5)
    assert digits(de48) == {"debit": debit_sum, "debits": 4, "credit": 0, "credits": 0, "result": 0}
    journal = till.read()
    settled = [r for r in journal.records.values() if journal.state(r) == "settled"]
    assert sum(r.amount for r in settled if r.type != CASH) == debit_sum


@pytest.mark.parametrize("seed", [1, 2])
def test_de_48_formats_totals_as_python_does(till: Till, seed: int) -> None:
    """Amounts have up to twelve digits and counts three."""
    dice = random.Random(seed)
    numbers = [(0, 0, 0, 0), (10**12 - 1, 999, 10**12 - 1, 999), (1, 1000, 1, 1001)]
    numbers += [
        (dice.randrange(10**12), dice.randrange(1000), dice.randrange(10**12), dice.randrange(1000)) for _ in range(200)
    ]
    for debit, debits, credit, credits in numbers:
        expected = f"{debit:012}{debits % 1000:03}{credit:012}{credits % 1000:03}0" + "0" * 31
        assert till.totals_digits(debit, debits, credit, credits) == expected


def test_totals_cover_only_the_open_batch(till: Till) -> None:
    host = TinyHost(till)
    host.connect()
    till.sells(3, 100)
    host.settle()
    assert till.close()[1:3] == [3, 303]
    host.settle()
    assert till.state()["closed"] == 3
    till.sells(2, 1000)
    host.settle()
    assert till.close()[1:3] == [2, 2001]
    assert till.read().records[5].batch == 2


EXPECTED = {
    "approved": {"YES", "WATERMARK", "CLOSED"},
    "refused_later": {"REFUSED", "NOTED"},
    "declined": {"DECLINED"},
    "reversing": {"REVERSING"},
    "reversed": {"REVERSED"},
    "accepted": {"DEFERRED"},
    "not_taken": {"VOIDED", "REPORTED"},
    "lost": {"LOST"},
}


def test_every_mark_has_its_disposition(till: Till) -> None:
    """Every mark of docs/journal.md on every kind of record. An unanswered deferred payment is never approved."""
    marks = {
        mark: name for mark, name in image.MARKS.items() if mark not in image.SOME
    }  # marks of several records mean the same
    words = {(kind, mark): word for kind, mark, word in till.dispositions(list(marks))}
    named = {mark: word for word, names in EXPECTED.items() for mark, name in marks.items() if name in names}
    for mark, name in marks.items():
        if mark in named:
            assert words[0x51, mark] == words[0x52, mark] == named[mark], name
        else:
            assert (words[0x51, mark], words[0x52, mark]) == ("accepted", "reversing"), name
    assert (words[0x51, 0], words[0x52, 0]) == ("accepted", "reversing")
    assert len(words) == 2 * (1 + len(marks))


@pytest.mark.parametrize("code, word", [("00", "approved"), ("51", "declined"), ("96", "reversing")])
def test_the_disposition_of_an_online_sale_survives_a_restart(till: Till, code: str, word: str) -> None:
    host = TinyHost(till)
    host.connect()
    till.intent(500, track(3))
    (request,) = host.pull()
    till.feed(host.answer(request, code).hex())
    assert till.state()["fate"] == word
    assert till.restart()["fate"] == word


def test_the_disposition_of_a_deferred_sale_survives_a_restart(till: Till) -> None:
    till.sells(1)
    assert till.restart()["fate"] == "accepted"
    host = TinyHost(till)
    host.connect()
    host.settle(lambda request: "51")
    assert till.state()["fate"] == "refused_later" and till.state()["outcome"] != NO
    assert till.restart()["fate"] == "refused_later"


@pytest.mark.parametrize("result", ["1", "2"])
def test_what_the_host_counts_is_read_from_its_answer(result: str) -> None:
    told = bytes.fromhex("000000001250" + "002" + "000000000300" + "001" + result + "0" * 31)
    assert of_host(told) == ((2, 1250), (1, 300))


@pytest.mark.parametrize("told", [b"", bytes(30), bytes(32), b"\x0a" + bytes(30), bytes(15) + b"\x30" + bytes(15)])
def test_an_answer_without_the_hosts_totals_says_nothing(told: bytes) -> None:
    assert of_host(told) is None
