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
        shop.talk()
        begin()
    for _ in range(row.polls):
        shop.till.feed(shop.work(shop.pull()).hex())
        assert shop.till.state()["waiting"] and shop.pull() == b""
        shop.till.ask_again()
    sent = shop.pull()
    assert sent, "a frame is sent"
    return sent


def _unconnected(shop: Shop, row: Row, begin: Begin) -> None:
    sequence = begin()
    shop.own("failed")
    if row.how == cells.ASKED:
        assert shop.till.unsent(sequence, row.amount, cells.CARD, False)


def _lost(shop: Shop, row: Row, begin: Begin) -> None:
    _begun(shop, row, begin)
    shop.own("failed")


def _cut(shop: Shop, row: Row, begin: Begin) -> None:
    shop.work(_begun(shop, row, begin))
    shop.own("failed")


def _late(shop: Shop, row: Row, begin: Begin) -> None:
    """An online request times out and keeps the connection. For all others, the connection ends first."""
    late = shop.work(_begun(shop, row, begin))
    if row.how == cells.ASKED:
        shop.till.give_up()
    else:
        shop.own("failed")
        shop.connect()
        if row.how != cells.CLOSING:
            again = shop.pull()
            assert again, "it is sent again before its first answer arrives"
            shop.till.feed(late.hex())
            shop.till.feed(shop.work(again).hex())
    before = shop.till.state()["marks"]
    shop.till.feed(late.hex())
    assert shop.till.state()["marks"] == before, "a late answer changes nothing"


def _bad_mac(shop: Shop, row: Row, begin: Begin) -> None:
    shop.till.feed(broken(shop.work(_begun(shop, row, begin))))
    if row.how != cells.ASKED:
        shop.own("failed")  # no answer follows


def _html(shop: Shop, row: Row, begin: Begin) -> None:
    _begun(shop, row, begin)
    try:
        shop.till.feed(PORTAL.hex())
    except InsideError as refused:
        assert refused.kind == "WireError", refused
    else:
        raise AssertionError("an HTML page was accepted as an answer")
    shop.own("failed")


def _power_before(shop: Shop, row: Row, begin: Begin) -> None:
    shop.connect()
    shop.dies(begin, shop.pull)
    shop.till.restart()


def _power_written(shop: Shop, row: Row, begin: Begin) -> None:
    shop.connect()
    begin()
    if row.how == cells.CLOSING:
        shop.pull()
    shop.till.restart()


def _power_sent(shop: Shop, row: Row, begin: Begin) -> None:
    shop.work(_begun(shop, row, begin))
    shop.till.restart()


def _power_answer(shop: Shop, row: Row, begin: Begin) -> None:
    answer = shop.work(_begun(shop, row, begin)).hex()
    shop.dies(lambda: shop.till.feed(answer), shop.pull)
    shop.till.restart()


def _power_after(shop: Shop, row: Row, begin: Begin) -> None:
    shop.till.feed(shop.work(_begun(shop, row, begin)).hex())
    shop.talk()
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
