# SPDX-License-Identifier: MIT
"""The failure of each column. Each function begins the payment, causes the failure and then returns."""

from __future__ import annotations

from collections.abc import Callable

from host_tests.harness.in_micropython.runner import InsideError
from host_tests.harness.uplink.till import broken
from host_tests.uncertainty import cells
from host_tests.uncertainty.cells import Cell, Row
from host_tests.uncertainty.terminal_and_host import TerminalAndHost
from tools.sim.moods import PORTAL

Begin = Callable[[], int]


def play(system: TerminalAndHost, cell: Cell, begin: Begin) -> None:
    """Begin the payment and cause the failure of the cell."""
    _FAILURES[cell.column](system, cell.row, begin)


def _begun(system: TerminalAndHost, row: Row, begin: Begin) -> bytes:
    """Begin the payment on an open connection. Returns its request frame, which has not reached the host."""
    if row.how == cells.OFFLINE_FALLBACK:  # its first connection failed
        begin()
        system.connect()
    else:
        system.connect()
        system.exchange_all()
        begin()
    for _ in range(row.polls):
        system.till.feed(system.host_answers(system.frames_to_send()).hex())
        assert system.till.state()["waiting"] and system.frames_to_send() == b""
        system.till.ask_again()
    sent = system.frames_to_send()
    assert sent, "a frame is sent"
    return sent


def _unconnected(system: TerminalAndHost, row: Row, begin: Begin) -> None:
    sequence = begin()
    system.call_case("failed")
    if row.how == cells.ASKED:
        assert system.till.unsent(sequence, row.amount, cells.CARD, False)


def _lost(system: TerminalAndHost, row: Row, begin: Begin) -> None:
    _begun(system, row, begin)
    system.call_case("failed")


def _cut(system: TerminalAndHost, row: Row, begin: Begin) -> None:
    system.host_answers(_begun(system, row, begin))
    system.call_case("failed")


def _late(system: TerminalAndHost, row: Row, begin: Begin) -> None:
    """An online request times out and keeps the connection. For all others, the connection ends first."""
    late = system.host_answers(_begun(system, row, begin))
    if row.how == cells.ASKED:
        system.till.give_up()
    else:
        system.call_case("failed")
        system.connect()
        if row.how != cells.CLOSING:
            again = system.frames_to_send()
            assert again, "it is sent again before its first answer arrives"
            system.till.feed(late.hex())
            system.till.feed(system.host_answers(again).hex())
    before = system.till.state()["marks"]
    system.till.feed(late.hex())
    assert system.till.state()["marks"] == before, "a late answer changes nothing"


def _bad_mac(system: TerminalAndHost, row: Row, begin: Begin) -> None:
    system.till.feed(broken(system.host_answers(_begun(system, row, begin))))
    if row.how != cells.ASKED:
        system.call_case("failed")  # no answer follows


def _html(system: TerminalAndHost, row: Row, begin: Begin) -> None:
    _begun(system, row, begin)
    try:
        system.till.feed(PORTAL.hex())
    except InsideError as refused:
        assert refused.kind == "WireError", refused
    else:
        raise AssertionError("an HTML page was accepted as an answer")
    system.call_case("failed")


def _power_before(system: TerminalAndHost, row: Row, begin: Begin) -> None:
    system.connect()
    system.cut_power_during(begin, system.frames_to_send)
    system.till.restart()


def _power_written(system: TerminalAndHost, row: Row, begin: Begin) -> None:
    system.connect()
    begin()
    if row.how == cells.CLOSING:
        system.frames_to_send()
    system.till.restart()


def _power_sent(system: TerminalAndHost, row: Row, begin: Begin) -> None:
    system.host_answers(_begun(system, row, begin))
    system.till.restart()


def _power_answer(system: TerminalAndHost, row: Row, begin: Begin) -> None:
    answer = system.host_answers(_begun(system, row, begin)).hex()
    system.cut_power_during(lambda: system.till.feed(answer), system.frames_to_send)
    system.till.restart()


def _power_after(system: TerminalAndHost, row: Row, begin: Begin) -> None:
    system.till.feed(system.host_answers(_begun(system, row, begin)).hex())
    system.exchange_all()
    system.till.restart()


_FAILURES: dict[str, Callable[[TerminalAndHost, Row, Begin], None]] = {
    "unconnected": _unconnected,
    "lost": _lost,
    "cut": _cut,
    "late": _late,
    "bad_mac": _bad_mac,
    "html": _html,
    "power_before": _power_before,
    "power_written": _power_written,
    "power_sent": _power_sent,
    "power_answer": _power_answer,
    "power_after": _power_after,
}
