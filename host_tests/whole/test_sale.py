# SPDX-License-Identifier: MIT
"""Everyday sales: online and offline, in both languages, and invalid amounts."""

import re

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.cashier import HOME
from tools.host.tables.terminal_settings import OfflineLimits
from tools.world.power import FIRMWARE


def test_an_online_sale_is_settled_and_its_receipt_masks_the_card_number(cashier) -> None:
    said = cashier.sell(1250)
    assert "¥12.50" in said
    assert cashier.agree() == 1250
    paper = cashier.world.receipts[-1].text()
    assert "12.50" in paper and "APPROVED" in paper and "476173******0011" in paper
    assert "4761730000000011" not in paper


def test_offline_sales_are_sent_automatically_and_settle(cashier) -> None:
    cashier.go_offline()
    cashier.sell(2000, "amber", "Accepted, to be authorised")
    cashier.sell(3000, "coral", "Accepted, to be authorised")
    assert cashier.sees("2 to send ¥50.00")
    assert "OFFLINE" in cashier.world.receipts[-1].text()
    assert cashier.ledger() == []
    cashier.drain()
    assert cashier.agree() == 5000
    assert cashier.host.counters["connections"] == 2  # the sign-on, and one to send everything
    assert "¥50.00" in cashier.settle()
    assert cashier.host.view()["batches"][0]["state"] == "closed"


def test_the_firmwares_own_main_sells_and_settles(make_cashier) -> None:
    """The other tests of this folder run harness/whole/quick/main.py, which collects garbage later."""
    cashier = make_cashier(source=FIRMWARE)
    cashier.sign_on()
    cashier.sell(1250)
    assert "¥12.50" in cashier.settle()


def test_a_second_batch_follows_the_first(cashier) -> None:
    for amount in (100, 200):
        cashier.sell(amount)
        cashier.settle()
    assert sorted(batch["number"] for batch in cashier.host.view()["batches"] if batch["state"] == "closed") == [
        "000001",
        "000002",
    ]
    assert cashier.agree() == 300


def test_a_sale_in_chinese_is_approved_and_printed(make_cashier) -> None:
    cashier = make_cashier(language="zh")
    cashier.world.power_on()
    cashier.world.wait_screen("请输入金额", 30)
    cashier.world.wait_screen("在线", 30)
    cashier.world.press("888E")
    cashier.world.wait_screen("卡", 10)
    cashier.world.place(cashier.card("ink"))
    cashier.world.wait(lambda: cashier.sees("¥8.88") and cashier.sees("授权码"), "the approval in Chinese", 30)
    cashier.world.wait(lambda: cashier.world.receipts, "the receipt")
    assert "8.88" in cashier.world.receipts[-1].text()


def test_the_language_is_switched_and_survives_a_restart(cashier) -> None:
    cashier.menu("change_language")
    cashier.page("English")
    cashier.world.press("1")
    cashier.world.wait_screen("请输入金额")
    cashier.world.power_off()
    cashier.world.power_on()
    cashier.world.wait_screen("请输入金额", 30)


@pytest.mark.parametrize(
    ("keys", "says"),
    [("E", "amount is zero"), ("9" * 12 + "E", "Over the limit"), ("9" * 13, "No more than 12 digits")],
)
def test_an_invalid_amount_is_refused(cashier, keys: str, says: str) -> None:
    cashier.world.press("E" + keys)
    cashier.world.wait_screen(says)
    cashier.world.press("C")
    cashier.world.wait_screen(HOME)
    assert cashier.journal().records == {}


def test_keys_pressed_faster_than_the_screen_draws_are_not_lost(cashier) -> None:
    cashier.world.press("1234567BBB89E")
    said = cashier.page("Present card")
    assert "¥1,234.89" in said
    cashier.world.press("C")
    cashier.world.wait_screen("Cancelled")
    cashier.home()
    assert cashier.journal().records == {}


def test_an_offline_limit_refuses_and_shows_what_is_left(make_cashier) -> None:
    cashier = make_cashier(limits=OfflineLimits(payment=5000, total=8000, count=3, per_card=1))
    cashier.sign_on()
    cashier.go_offline()
    cashier.world.press("5001E")
    assert any("50.00" in line for line in cashier.page("Not taken"))
    cashier.home()
    cashier.sell(5000, "amber", "Accepted")
    cashier.offer(1000, "amber")
    cashier.world.wait_screen("already used offline")
    cashier.world.remove()
    cashier.home()
    cashier.world.press("3001E")
    assert any("30.00" in line for line in cashier.page("Not taken"))
    cashier.home()
    assert len(cashier.journal().records) == 1


def test_without_limits_nothing_is_taken_offline(make_cashier) -> None:
    cashier = make_cashier(limits=None)
    cashier.sign_on()
    cashier.go_offline()
    cashier.world.press("100E")
    cashier.world.wait_screen("Offline payments are switched off")
    assert cashier.journal().records == {}


def test_after_a_restart_with_pending_payments_an_offline_sale_needs_a_supervisor(cashier) -> None:
    cashier.go_offline()
    cashier.sell(100, "amber", "Accepted")
    assert "¥1.00" in cashier.restart()
    cashier.home()
    cashier.world.press("200E")
    cashier.world.wait_screen("supervisor needed")
    cashier.world.press("E")
    cashier.world.wait_screen("Supervisor code")
    cashier.world.press("111111E")
    cashier.world.wait_screen("Wrong code")
    cashier.world.press("246813E")
    cashier.world.wait_screen("Present card")
    cashier.world.place(cashier.card("coral"))
    cashier.world.wait_screen("Accepted", 20)
    cashier.world.remove()
    cashier.home()
    cashier.drain()
    assert cashier.agree() == 300


def test_a_receipt_missed_for_lack_of_paper_can_be_reprinted(cashier: Cashier) -> None:
    printer = cashier.world.chips.printer
    printer.paper = False
    cashier.offer(1250, "jade")
    cashier.page("No paper in the printer")
    cashier.world.remove()
    cashier.home()
    assert not cashier.world.receipts
    printer.paper = True
    cashier.menu("reprint")
    cashier.world.wait(lambda: cashier.world.receipts, "the receipt")
    paper = cashier.world.receipts[-1].text()
    payment = cashier.host.view()["payments"][0]
    assert "DUPLICATE" in paper and "APPROVED" in paper, paper
    assert re.search(rf"Auth code +{payment['auth_code']}", paper) and re.search(
        rf"Reference +{payment['rrn']}", paper
    ), paper
