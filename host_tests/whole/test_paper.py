# SPDX-License-Identifier: MIT
"""The content of receipts and slips: 32 columns, in both languages, as printed."""

from __future__ import annotations

import re

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.fonts.build import table
from tools.world.printer import COLUMNS

# Prints a settlement slip as the flow does, but with made-up totals.
SLIP = """
import asyncio
from board import Board
from kassa.desk.batch import Totals
from kassa.flows.steps import paper, receipt
from kassa.screens.words import Words

class Till:
    name, merchant, terminal = "老街茶馆", "898000000000001", "KASSA001"
    printer = Board().printer
    def __init__(self):
        self.ui = self.clock = self.settings = self
        self.t = Words("%s").get
    def get(self, wanted, default):
        return default
    def now(self):
        return 848757909

totals = Totals(17)
for effect in range(8):
    totals.counts[effect] = 900
    totals.sums[effect] = %d
shop = Till()
print("printed:", asyncio.run(paper.print_out(shop, ("", "", (), ""), False, receipt.settlement, totals, True, None)))
"""


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("amount", [0, 990, 9_999_999_999])
def test_each_amount_of_a_settlement_slip_is_complete_and_right_aligned(run_script, language, amount) -> None:
    world = run_script(SLIP % (language, amount))
    world.wait_off()
    assert "printed: True" in world.console
    (slip,) = world.receipts
    money = f"￥{amount // 100:,}.{amount % 100:02d}"
    lines = [line for line in slip.lines if "￥" in line.text]
    words = table(language)
    for key in ("r_debit", "r_credit", "r_qr", "r_qr_back", "r_cash", "r_cash_back"):
        found = re.search(rf"^{words[key]} 900\s+{money}$", slip.text(), re.M)
        assert found, (key, slip.text())
    assert len(lines) == 6
    for line in lines:
        assert line.laid_out().endswith(money) and len(line.text.encode("gbk")) == COLUMNS, slip.text()


def test_a_value_that_does_not_fit_goes_to_the_next_line(run_script) -> None:
    world = run_script("""
        import asyncio
        from board import Board
        from kassa.gbk import Table
        LINES = [
            ("x" * 20 + "\\t" + "¥1,234.00", 0, False, 1),
            ("x" * 21 + "\\t" + "¥1,234.00", 0, False, 1),
            ("x" * 22 + "\\t" + "¥1,234.00", 0, False, 1),
            ("结算" * 8 + "\\t" + "¥" * 20, 0, False, 1),
        ]
        asyncio.run(Board().printer().print(LINES, Table().code))
    """)
    world.wait_off()
    (receipt,) = world.receipts
    assert [line.text for line in receipt.lines[:7]] == [
        "x" * 20 + "  ￥1,234.00",
        "x" * 21 + " ￥1,234.00",
        "x" * 22,
        " " * 22 + "￥1,234.00",
        "结算" * 8,
        "￥" * 16,
        "￥" * 4,
    ]


@pytest.mark.parametrize("real_time", [True, False])
def test_a_receipt_cut_off_by_an_empty_roll_is_reported_and_can_be_reprinted(cashier: Cashier, real_time: bool) -> None:
    printer = cashier.world.chips.printer
    printer.real_time, printer.lines_left = real_time, 7
    cashier.offer(1250, "jade")
    cashier.page("No paper in the printer")
    assert "APPROVED" not in printer.paper_text
    cashier.world.remove()
    printer.lines_left = None  # a new roll
    cashier.home()
    cashier.menu("reprint")
    cashier.world.wait(lambda: "DUPLICATE" in "".join(paper.text() for paper in cashier.world.receipts), "a reprint")
    assert "APPROVED" in cashier.world.receipts[-1].text()


def test_a_printer_that_answers_only_after_printing_is_not_reported_missing(cashier: Cashier) -> None:
    cashier.world.chips.printer.real_time = False
    said = cashier.sell(1250)
    assert not any("rinter" in line for line in said)
    cashier.menu("reprint")
    cashier.world.wait(lambda: len(cashier.world.receipts) == 2, "the reprint")
    cashier.home()
    assert not any("rinter" in line for line in cashier.settle())
    assert [paper.text().count("￥12.50") for paper in cashier.world.receipts] == [1, 1, 1]


def test_the_shops_full_name_is_on_screen_and_paper(make_cashier) -> None:
    name = "国贸张记鱼庄"
    cashier = make_cashier(merchant_name=name)
    cashier.sign_on()
    assert cashier.sees(name), cashier.world.screen_text()
    cashier.sell(1250)
    assert name in cashier.world.receipts[-1].text()


def test_the_printer_prints_characters_that_the_screen_lacks(make_cashier) -> None:
    cashier = make_cashier(merchant_name="鑫淼烩面馆")
    cashier.sign_on()
    cashier.sell(1250)
    assert "鑫淼烩面馆" in cashier.world.receipts[-1].text()
