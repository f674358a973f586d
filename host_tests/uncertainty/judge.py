# SPDX-License-Identifier: MIT
"""Plays a cell, reads its end in four places, and checks it against the accounting rules. Does not use the page."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from host_tests.harness.in_micropython.runner import Inside
from host_tests.uncertainty import cells, failures
from host_tests.uncertainty.cells import CLOSED, CLOSING, ENDS, NOTHING, SETTLED, Cell, Row
from host_tests.uncertainty.terminal_and_host import TID, TerminalAndHost

# Sign of a settled payment in the terminal clearing, by field 60.1, from the rules of C5. Other kinds do not change it.
_SIGNS = {"22": 1, "23": -1, "25": -1, "20": 1, "24": 1, "21": -1, "30": 1, "74": 1, "75": 1, "76": -1}
_CODES, _CASH = {"74": 1, "75": 1, "76": -1}, {"71": 1, "77": -1}
_CHANGES = ("32", "34")  # their amount replaces that of the original
_AGREE = {"settled": "APPROVED", "declined": "DECLINED", "reversed": "REVERSED"}


class Outcome(NamedTuple):
    """`first`: text key of the till's screen right after the failure; `last`: text key of a reprint at the end."""

    first: str
    last: str
    end: str


def play(inside: Inside, cell: Cell, home: Path) -> Outcome:
    """Play one cell, from an empty journal and ledger to a closed batch. Raises AssertionError if a rule is broken."""
    with TerminalAndHost(inside, home) as system:
        return _play(system, cell)


def _play(system: TerminalAndHost, cell: Cell) -> Outcome:
    row = cell.row
    original, reference = system.settled_before(cells.SALE, cells.BEFORE)
    for kind in row.needs:
        original, reference = system.settled_before(kind, cells.COMPLETED if kind == cells.COMPLETION else cells.PAID)
    known = system.till.state()["sequence"]
    money = system.account("terminal clearing"), system.account("cash sales")
    failures.play(system, cell, lambda: system.begin(row, original, reference))
    first = _word(system, row, known)
    if system.till.state()["handshaken"]:  # the connection is still open
        system.exchange_all()
        system.till.lost()
    system.drain()
    if row.how == CLOSING:
        return _closed(system, cell, first)
    end = _end(system, known)
    last = _word(system, row, known)
    moved = system.account("terminal clearing") - money[0], system.account("cash sales") - money[1]
    assert moved == ((row.brings, row.shop_keeps) if end == SETTLED else (0, 0)), (end, moved)
    system.till.restart()
    assert _word(system, row, known) == last, "a restart changed the disposition"
    _agree(system, row.amount - row.brings)
    if end != SETTLED:
        _once_more(system, row, original, reference)
    system.close_batch()
    _agree(system, row.amount - row.brings)
    assert system.till.state()["batch"] == 2
    assert end == cells.rule(cell), f"{end}, but the rules demand {cells.rule(cell)}"
    return Outcome(first, last, end)


def _once_more(system: TerminalAndHost, row: Row, original: int, reference: str) -> None:
    """After a failed payment, the cashier starts again. Asserts that the second payment is settled."""
    money = system.account("terminal clearing"), system.account("cash sales")
    system.connect()
    system.begin(row._replace(code=row.code and cells.ANOTHER_CODE), original, reference)
    system.exchange_all()
    for _ in range(row.polls):
        system.till.ask_again()
        system.exchange_all()
    system.till.lost()
    system.drain()
    assert _end(system, system.till.state()["sequence"] - 1) == SETTLED, system.till.state()["text"]
    moved = system.account("terminal clearing") - money[0], system.account("cash sales") - money[1]
    assert moved == (row.brings, row.shop_keeps), moved


def _word(system: TerminalAndHost, row: Row, known: int) -> str:
    """The text key of the payment's disposition on the till; "" if the till has no record of it."""
    state = system.till.state()
    if row.how == CLOSING:
        unfinished = "settle_unfinished" if state["closing"] else "settle_failed"
        return "closed" if state["closed"] == state["sequence"] else unfinished
    return state["fate"] if state["sequence"] > known else ""


def _closed(system: TerminalAndHost, cell: Cell, first: str) -> Outcome:
    """Check a batch close. The cashier closes again if the till does not know the result yet."""
    if _word(system, cell.row, 0) != "closed":
        system.close_batch()
    rows = system.query("SELECT number, state, debit_amount, debit_count FROM batch WHERE state = 'closed'")
    assert rows == [("000001", "closed", cells.BEFORE, 1)], rows
    state = system.till.state()
    assert state["batch"] == 2 and not state["closing"], state
    _agree(system, 0)
    return Outcome(first, _word(system, cell.row, 0), CLOSED)


def _end(system: TerminalAndHost, known: int) -> str:
    """The name of the end, from the journal and the ledger."""
    found = [record for record in system.till.read().records.values() if record.sequence > known]
    assert len(found) <= 1, "one payment has at most one record"
    if not found:
        return NOTHING
    pair = system.till.read().state(found[0]), _ledger(system, found[0].uid)
    ends = [name for name, places in ENDS.items() if places == pair]
    assert ends, f"journal and ledger: {pair}"
    return ends[0]


def _ledger(system: TerminalAndHost, uid: bytes) -> str:
    """The state of a payment at the host, or the kind of entry in its place."""
    states = system.query("SELECT state FROM payment WHERE uid = ?", uid.hex())
    links = system.query("SELECT kind, state FROM link WHERE uid = ?", uid.hex())
    has_tombstone = system.query("SELECT count(*) FROM tombstone WHERE uid = ?", uid.hex())[0][0]
    assert len(states) <= 1 and len(links) == 1 and links[0][1] == "holds", (states, links)
    if states:
        assert not has_tombstone and links[0][0] == "payment"
        return states[0][0]
    return "tombstone" if has_tombstone and links[0][0] == "reversal" else "void entry" if links[0][0] == "void" else ""


def _agree(system: TerminalAndHost, original: int) -> None:
    """Assert that nothing is pending, that host and journal agree, and that accounts and settled records agree.

    `original`: the amount that a tip or an adjustment replaces, in minor units.
    """
    state = system.till.state()
    assert not (state["work"] or state["reversing"] or state["request"] or state["count"] or state["sum"]), state
    assert state["watermark"] == state["sequence"] and state["pending"] == [0, 0] and not state["fault"], state
    journal = system.till.read()
    payable = cash = codes = 0
    for record in journal.records.values():
        word, ledger = journal.state(record), _ledger(system, record.uid)
        assert word == "reported" and ledger == "void entry" or ledger in (_AGREE[word], "tombstone"), (word, ledger)
        assert ledger != "tombstone" or word == "reversed"
        if word == "settled":
            sign = _SIGNS.get(record.type, 0)
            payable += record.amount - original if record.type in _CHANGES else sign * record.amount
            cash += _CASH.get(record.type, 0) * record.amount
            codes += _CODES.get(record.type, 0) * record.amount
    assert (system.account("terminal clearing"), system.account("cash sales")) == (payable, cash)
    assert -system.account("wallet receivable") == codes == sum(system.host.wallet.paid.values())
    assert system.account("quarantine") == 0 and -system.account("card receivable") == payable - codes
    assert -system.account("cash in till") == cash
    known = {record.uid.hex() for record in journal.records.values()}
    assert {uid for (uid,) in system.query("SELECT uid FROM payment")} <= known, (
        "the host has a payment that the till lacks"
    )
    assert not system.query("SELECT 1 FROM payment WHERE state = 'RECEIVED'")
    assert not system.query("SELECT 1 FROM entry GROUP BY tid, uid HAVING sum(amount) <> 0")
    assert system.query("SELECT quarantine FROM terminal WHERE tid = ?", TID) == [(None,)]
