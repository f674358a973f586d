# SPDX-License-Identifier: MIT
"""The failure of each column. Each function begins the payment in a shop and leaves the shop after the failure."""

from __future__ import annotations

from collections.abc import Callable

from host_tests.harness.inside.inside import InsideError
from host_tests.harness.uplink.till import broken
from host_tests.uncertainty import cells
from host_tests.uncertainty.cells import Cell, Row
from host_tests.uncertainty.shop import Shop
from tools.host.moods import PORTAL

Begin = Callable[[], int]


def play(shop: Shop, cell: Cell, begin: Begin) -> None:
    """Begin the payment and cause the failure of the cell."""
    _FAILURES[cell.column](shop, cell.row, begin)


def _begun(shop: Shop, row: Row, begin: Begin) -> bytes:
    """Begin the payment on an open connection. Returns its request frame, which has not reached the host."""
    if row.how == cells.OFFLINE_FALLBACK:  # its first connection failed
        begin()
        shop.connect()
    else:
        shop.connect()
        shop.exchange_all()
        begin()
    for _ in range(row.polls):
        shop.till.feed(shop.host_answers(shop.frames_to_send()).hex())
        assert shop.till.state()["waiting"] and shop.frames_to_send() == b""
        shop.till.ask_again()
    sent = shop.frames_to_send()
    assert sent, "a frame is sent"
    return sent


def _unconnected(shop: Shop, row: Row, begin: Begin) -> None:
    sequence = begin()
    shop.call_case("failed")
    if row.how == cells.ASKED:
        assert shop.till.unsent(sequence, row.amount, cells.CARD, False)


def _lost(shop: Shop, row: Row, begin: Begin) -> None:
    _begun(shop, row, begin)
    shop.call_case("failed")


def _cut(shop: Shop, row: Row, begin: Begin) -> None:
    shop.host_answers(_begun(shop, row, begin))
    shop.call_case("failed")


def _late(shop: Shop, row: Row, begin: Begin) -> None:
    """An online request times out and keeps the connection. For all others, the connection ends first."""
    late = shop.host_answers(_begun(shop, row, begin))
    if row.how == cells.ASKED:
        shop.till.give_up()
    else:
        shop.call_case("failed")
        shop.connect()
        if row.how != cells.CLOSING:
            again = shop.frames_to_send()
            assert again, "it is sent again before its first answer arrives"
            shop.till.feed(late.hex())
            shop.till.feed(shop.host_answers(again).hex())
    before = shop.till.state()["marks"]
    shop.till.feed(late.hex())
    assert shop.till.state()["marks"] == before, "a late answer changes nothing"


def _bad_mac(shop: Shop, row: Row, begin: Begin) -> None:
    shop.till.feed(broken(shop.host_answers(_begun(shop, row, begin))))
    if row.how != cells.ASKED:
        shop.call_case("failed")  # no answer follows


def _html(shop: Shop, row: Row, begin: Begin) -> None:
    _begun(shop, row, begin)
    try:
        shop.till.feed(PORTAL.hex())
    except InsideError as refused:
        assert refused.kind == "WireError", refused
    else:
        raise AssertionError("an HTML page was accepted as an answer")
    shop.call_case("failed")


def _power_before(shop: Shop, row: Row, begin: Begin) -> None:
    shop.connect()
    shop.cut_power_during(begin, shop.frames_to_send)
    shop.till.restart()


def _power_written(shop: Shop, row: Row, begin: Begin) -> None:
    shop.connect()
    begin()
    if row.how == cells.CLOSING:
        shop.frames_to_send()
    shop.till.restart()


def _power_sent(shop: Shop, row: Row, begin: Begin) -> None:
    shop.host_answers(_begun(shop, row, begin))
    shop.till.restart()


def _power_answer(shop: Shop, row: Row, begin: Begin) -> None:
    answer = shop.host_answers(_begun(shop, row, begin)).hex()
    shop.cut_power_during(lambda: shop.till.feed(answer), shop.frames_to_send)
    shop.till.restart()


def _power_after(shop: Shop, row: Row, begin: Begin) -> None:
    shop.till.feed(shop.host_answers(_begun(shop, row, begin)).hex())
    shop.exchange_all()
    shop.till.restart()


_FAILURES: dict[str, Callable[[Shop, Row, Begin], None]] = {
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
