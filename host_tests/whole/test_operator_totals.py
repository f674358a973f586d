# SPDX-License-Identifier: MIT
"""What each operator took: in the journal's records, and in the totals of the batch on the screen and on paper."""

from __future__ import annotations

import re

from host_tests.harness.whole.cashier import Cashier
from host_tests.harness.whole.staff import CODES, log_in, log_out
from tools.world.flash import PARTITIONS

_PAGE, _RECORD, _OPERATOR = 256, (0x51, 0x52), 43


def operators(cashier: Cashier) -> list[str]:
    """The operator of each record in flash, in the order of their sequences, as two digits."""
    chip, (base, size) = (cashier.world.home / "flash.bin").read_bytes(), PARTITIONS["journal"]
    records = sorted(
        (int.from_bytes(chip[at + 4 : at + 8], "big"), f"{chip[at + _OPERATOR]:02x}")
        for at in range(base, base + size, _PAGE)
        if chip[at] in _RECORD
    )
    return [operator for _, operator in records]


def test_each_operator_has_a_line_in_the_totals(shop: Cashier) -> None:
    shop.world.run_for(20_000)  # the next record is begun while nobody is logged in
    log_in(shop, 99)
    shop.page("Type the amount")
    shop.sell(1250)
    shop.refund_of("cash", 200)
    shop.end("Cash returned")
    log_out(shop)
    shop.world.run_for(20_000)
    log_in(shop, 1)
    shop.page("Type the amount")
    shop.sell(700)
    shop.go_offline()
    shop.sell(300, "amber", "Accepted")
    assert operators(shop) == ["99", "99", "01", "01"]
    shop.menu("totals")
    said = "\n".join(shop.page("Totals of the batch"))
    shop.world.press("D")
    said += "\n".join(shop.drawn())
    assert re.search(r"Total +¥20.50", said), said
    assert re.search(r"Operator 01 +2 +¥10.00", said) and re.search(r"Operator 99 +2 +¥10.50", said), said
    shop.world.press("E")
    shop.world.wait(lambda: "Totals of the batch" in shop.world.receipts[-1].text(), "the slip")
    paper = shop.world.receipts[-1].text()
    assert re.search(r"Operator 01 +2 +￥10.00", paper) and re.search(r"Operator 99 +2 +￥10.50", paper), paper
    shop.home()
    shop.drain()
    assert [amount for amount, state in shop.ledger() if state == "APPROVED"] == [1250, 200, 700, 300]


def test_where_nobody_logs_in_the_totals_name_no_operator(cashier: Cashier) -> None:
    cashier.sell(1250)
    assert operators(cashier) == ["01"]
    cashier.menu("totals")
    cashier.page("Totals of the batch")
    assert not cashier.sees("Operator")


def test_who_logged_in_before_is_not_named_where_nobody_logs_in_any_more(shop: Cashier) -> None:
    log_in(shop, 99)
    shop.page("Type the amount")
    shop.menu("remove_operator")
    shop.type_in("Remove an operator", "1")
    shop.agree_to("Remove this operator?")
    shop.page("Operator 01 removed")
    shop.home()
    shop.menu("log_out")
    shop.agree_to("Log out?")
    shop.page("Type the amount")
    shop.sell(1250)
    assert operators(shop) == ["01"]


def test_who_unlocked_the_terminal_is_not_named_where_nobody_logs_in(cashier: Cashier) -> None:
    cashier.menu("lock")
    cashier.agree_to("Lock the terminal?")
    cashier.supervise()
    cashier.type_in("Terminal locked", "90")
    cashier.type_in("Code of operator 90", CODES[90])
    cashier.page("Type the amount")
    cashier.sell(1250)
    assert operators(cashier) == ["01"]
