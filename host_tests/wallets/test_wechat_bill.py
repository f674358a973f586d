# SPDX-License-Identifier: MIT
"""WeChat Pay's daily bill is taken whole, with its hash, or not at all; and calls that run at once."""

from __future__ import annotations

import asyncio
import datetime
import gzip
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from host_tests.harness.wallets.wechat import Shop, back, order
from tools.host.acquirers.wechat import bill, line
from tools.host.errors import ProviderFault
from tools.sim.wechat.signing import sha1

DAY = datetime.date(2026, 11, 20)


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    shop.ago(30)
    shop.pay(order())
    shop.refund(back(order(), 450))
    yield shop
    shop.close()


def _changed(shop: Shop, change: Callable[[str], str]) -> Any:
    """What the adapter says to a bill that was changed, with the hash that fits it."""
    text = shop.sim.routes.bill_text()
    shop.sim.routes.bill_text = lambda: change(text)
    return shop.bill(DAY)


def test_a_product_may_have_commas_and_the_lines_are_those_of_the_books(shop: Shop) -> None:
    lines = _changed(shop, lambda text: text.replace("茶, 大杯", "a,b, ,c"))
    assert [(one.amount, one.fee) for one in lines] == [(1250, 8), (-450, -3)]


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("`CNY", "`USD", "currency"),
        ("`1900000001", "`1900000002", "merchant"),
        ("`12.50", "`12.505", "a part of a fen"),
        ("`12.50", "`１２.50", "an amount that is none"),
        ("`12.50", "`1e3", "an amount that is none"),
        ("`SUCCESS", "`NEWSTATE", "state"),
        ("`REFUND", "`SUCCESS,`REFUND", "a broken line"),
        ("`2,", "`3,", "number of lines"),
        ("手续费,", "费,", "columns"),
        ("\r\n`2026", "\r\n`2026-11-29,`\r\n`2026", "number of lines"),
    ],
)
def test_a_bill_that_is_not_understood_is_refused_as_a_whole(shop: Shop, old: str, new: str, why: str) -> None:
    said = _changed(shop, lambda text: text.replace(old, new))
    assert isinstance(said, str) and why in said


def test_a_refund_that_failed_is_left_out(shop: Shop) -> None:
    def fail(text: str) -> str:
        head, first, second, *rest = text.split("\r\n")
        return "\r\n".join((head, first, second.replace("`SUCCESS", "`FAIL"), *rest))

    assert [one.amount for one in _changed(shop, fail)] == [1250]


def test_the_hash_is_that_of_the_signed_answer(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    names = type(shop.sim.routes)._bill
    for changed in ({"hash_value": "0" * 40}, {"hash_type": "MD5"}, {"hash_value": None}, {"download_url": 1}):
        monkeypatch.setattr(type(shop.sim.routes), "_bill", lambda self, base, c=changed: {**names(self, base), **c})
        assert str(shop.bill(DAY)).startswith("fault: ")
    for url in ("https://elsewhere.example/v3/billdownload/file", f"{shop.sim.url}.example/", f"{shop.sim.url}/v3/x"):
        changed = {"download_url": url}
        monkeypatch.setattr(type(shop.sim.routes), "_bill", lambda self, base, c=changed: {**names(self, base), **c})
        shop.sim.calls.clear()
        assert shop.bill(DAY) == "fault: a bill at another address" and "download" not in shop.sim.calls


def test_a_bill_is_bounded_packed_and_unpacked(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = gzip.compress(b"0" * (70 << 20))
    with pytest.raises(ProviderFault, match="too long"):
        bill.unpack(bomb, sha1(b""))
    for packed in (b"", b"plain", gzip.compress(b"abc")[:-9], zlib.compress(b"abc"), gzip.compress(b"\xff")):
        with pytest.raises(ProviderFault):
            bill.unpack(packed, sha1(b"abc"))
    with pytest.raises(ProviderFault, match="another hash"):
        bill.unpack(gzip.compress(b"abd"), sha1(b"abc"))
    assert bill.unpack(gzip.compress(b"abc"), sha1(b"abc").upper()) == "abc"
    monkeypatch.setattr(line, "LARGEST_BILL", 100)
    assert shop.bill(DAY) == "fault: an answer that is too long"


@pytest.mark.parametrize(
    ("yuan", "fen"), [("0.00600", 1), ("0.00499", 0), ("-0.00600", -1), ("1.23456", 123), ("-0.06", -6), ("0", 0)]
)
def test_fees_are_rounded_to_the_fen(yuan: str, fen: int) -> None:
    assert bill.fen(yuan, rounds=True) == fen


def test_many_calls_at_once_with_certificates_that_nobody_knows_yet() -> None:
    shop = Shop(certificate=True)

    async def many() -> list[Any]:
        orders = [order(reference=f"{number:032x}", code=f"12{number:016}") for number in range(20)]
        return await asyncio.gather(*(shop.provider.pay(each) for each in orders))

    assert {said.answer for said in shop.run(many())} == {"yes"} and len(shop.books.payments) == 20
    shop.close()


def test_a_refund_that_undoes_an_order_is_about_the_order(shop: Shop) -> None:
    """A code that was shown, and paid before it was closed: its bill has no line for the books to wonder about."""
    late = order(reference="f" * 32, shown=True, ago=30)
    shop.pay(late)
    shop.books.late = True
    assert shop.undo(late).answer == "yes"
    lines = [(one.reference, one.amount) for one in shop.bill(DAY)]
    assert lines[-2:] == [("f" * 32, late.amount), ("f" * 32, -late.amount)]
