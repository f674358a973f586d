# SPDX-License-Identifier: MIT
"""Alipay's daily bill: what the books of the simulated gateway say, to the fen, and nothing that is not whole."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Iterator

import pytest

from host_tests.harness.alipay import CODE, Shop, open_shop
from tools.host.acquirers.alipay import bill
from tools.host.acquirers.alipay import gateway as transport
from tools.host.acquirers.provider import YES, BillLine
from tools.host.errors import ProviderFault
from tools.sim import alipay_bill

DAY = datetime.date(2027, 1, 15)  # of the clock of the tests, in Beijing


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    with open_shop(monkeypatch) as shop:
        yield shop


def traded(shop: Shop) -> None:
    """Three payments: one kept, one refunded in two parts, one undone."""
    for number, amount in ((1, 1250), (2, 3580), (3, 99)):
        assert shop.run(shop.provider.pay(shop.order(number, f"{CODE[:-1]}{number}", amount=amount))).answer == YES
    order = shop.order(2, amount=3580)
    for number, amount in ((9, 580), (10, 3000)):
        assert shop.run(shop.provider.refund(shop.back(order, number, amount))).answer == YES
    assert shop.run(shop.provider.undo(shop.order(3, amount=99))).answer == YES


def lines(shop: Shop, day: datetime.date = DAY) -> list[BillLine] | None:
    found = shop.run(shop.provider.bill(day))
    return None if found is None else list(found)


def test_a_bill_is_the_books_to_the_fen(shop: Shop) -> None:
    traded(shop)
    found = lines(shop)
    assert found is not None
    numbers = [n.to_bytes(16).hex() for n in (1, 2, 3, 9, 10, 3)]  # an undo is about its order
    assert [(line.reference, line.amount) for line in found] == list(
        zip(numbers, (1250, 3580, 99, -580, -3000, -99), strict=True)
    )
    assert [line.fee for line in found] == [-entry.fee for entry in shop.books.entries]
    assert sum(line.amount - line.fee for line in found) == shop.books.balance() == 1250 - 8
    assert all(line.their_id.startswith("20261129") for line in found)


def test_an_undo_by_refund_is_about_its_order(shop: Shop) -> None:
    order = shop.order()
    shop.run(shop.provider.pay(order))
    shop.clock[0] += 25 * 3600 * 1000
    assert shop.run(shop.provider.undo(order)).answer == YES
    found = lines(shop, DAY + datetime.timedelta(days=1))
    assert found == [BillLine(order.reference, -1250, -8, shop.books.trades[order.reference].trade_no)]


def test_a_day_without_a_bill_is_none(shop: Shop) -> None:
    assert lines(shop) is None
    traded(shop)
    assert lines(shop, DAY - datetime.timedelta(days=1)) is None


def test_a_bill_that_differs_is_handed_on_as_it_is(shop: Shop) -> None:
    """Whether it agrees with our books is for the reconciliation to say."""
    traded(shop)
    text = csv_of(shop).replace("12.50,12.50", "12.51,12.51")
    shop.gateway.bill_content = zipped(text)
    found = lines(shop)
    assert found and found[0] == BillLine(found[0].reference, 1251, 8, found[0].their_id)


def test_discounts_of_the_merchant_are_kept_back_too(shop: Shop) -> None:
    traded(shop)
    shop.gateway.bill_content = zipped(csv_of(shop).replace("12.50,12.50", "12.50,10.50"))
    assert (lines(shop) or [])[0].fee == 8 + 200


def csv_of(shop: Shop) -> str:
    with zipfile.ZipFile(io.BytesIO(alipay_bill.packed(shop.books.entries))) as archive:
        return archive.read(archive.namelist()[1]).decode("gbk")


def zipped(text: str | bytes, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", compression) as archive:
        archive.writestr("bill.csv", text if isinstance(text, bytes) else text.encode("gbk"))
    return made.getvalue()


def test_what_is_no_whole_bill_is_a_fault(shop: Shop) -> None:
    traded(shop)
    good = csv_of(shop)
    rows = good.split("\r\n")
    end = next(at for at, line in enumerate(rows) if "列表结束" in line)
    bad: dict[str, bytes] = {
        "no zip": b"<html>",
        "cut zip": zipped(good)[:-40],
        "empty zip": zipped("")[:22],
        "nothing in it": zipped(""),
        "not GBK": zipped(b"\xff\xff\xff" + good.encode("gbk")),
        "cut off": zipped("\r\n".join(rows[: end - 1])),
        "a line less": zipped("\r\n".join(rows[: end - 1] + rows[end:])),
        "a line twice": zipped("\r\n".join(rows[:end] + rows[end - 1 :])),
        "no columns": zipped(good.replace("支付宝交易号,", "交易号,")),
        "no fees": zipped(good.replace("服务费（元）", "费")),
        "no number of refunds": zipped(good.replace("退款批次号/请求号", "号")),
        "an amount": zipped(good.replace("12.50,12.50", "1e3,12.50")),
        "half a fen": zipped(good.replace("12.50,12.50", "12.505,12.50")),
        "a sign": zipped(good.replace("12.50,12.50", "-12.50,-12.50")),
        "a kind": zipped(good.replace(",交易,", ",转账,")),
        "a short line": zipped(good.replace("csq***@sandbox.com,12.50,12.50", "csq\r\n", 1)),
    }
    for name, content in bad.items():
        shop.gateway.bill_content = content
        with pytest.raises(ProviderFault):
            found = lines(shop)
            raise AssertionError(f"{name}: {found}")
    shop.gateway.bill_content = zipped(good)
    assert len(lines(shop) or []) == 6


@pytest.mark.parametrize("compression", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_bomb_is_not_unpacked(compression: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bill, "UNPACKED", 1 << 20)
    packed = zipped(bytes(4 << 20), compression)
    assert len(packed) < 1 << 16
    with pytest.raises(ProviderFault, match="too long"):
        bill.read(packed)
    lies = packed.replace((4 << 20).to_bytes(4, "little"), (100).to_bytes(4, "little"))  # about its size
    with pytest.raises(ProviderFault):
        bill.read(lies)


@pytest.mark.parametrize("mood", ["html", "huge", "redirect", "reset_before", "5xx_before", "busy"])
def test_a_download_that_fails_is_a_fault(shop: Shop, mood: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "BILL", 1 << 20)
    traded(shop)
    shop.gateway.moods["download"].append(mood)
    with pytest.raises(ProviderFault):
        lines(shop)
    assert shop.gateway.elsewhere == 0


@pytest.mark.parametrize("address", ["http://169.254.169.254", "http://127.0.0.1:1", "file:///etc", "http://[::1", "x"])
def test_a_bill_is_fetched_from_its_host_alone(shop: Shop, address: str) -> None:
    traded(shop)
    shop.gateway.bill_address = address
    with pytest.raises(ProviderFault, match="address"):
        lines(shop)


def test_an_address_without_a_port_is_the_one_of_the_settings(shop: Shop) -> None:
    """Alipay gives http://dwbillcenter.alipay.com/...: it is fetched from what acquirers.toml says, with https://."""
    traded(shop)
    shop.gateway.bill_address = "http://127.0.0.1"
    assert len(lines(shop) or []) == 6
