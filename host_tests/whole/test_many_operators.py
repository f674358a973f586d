# SPDX-License-Identifier: MIT
"""As many operators as a terminal has room for; and what an operator leaves on the screen when they walk away."""

from __future__ import annotations

import re
from collections.abc import Callable

from host_tests.harness.whole.cashier import Cashier
from host_tests.harness.whole.staff import CODES, STAFF, log_in, log_out
from kassa.desk.operators import MOST
from tools.provision.device import Operator

_MINUTE_MS = 60_000
_A_PAGE = 6  # rows
_ROW = re.compile(r"^(\d\d)\s+(Cashier|Supervisor|Administrator)$")


def on_the_list(shop: Cashier) -> dict[int, str]:
    """Number -> role, read from every page of the list of a full terminal's operators."""
    shop.menu("operators")
    found: dict[int, str] = {}
    for first in range(1, MOST, _A_PAGE):
        lines = shop.page(f"{first}/{MOST}")
        found |= {int(row[1]): row[2] for line in lines if (row := _ROW.match(line.strip()))}
        shop.world.press("D")
    shop.world.press("C")
    return found


def new_operator(shop: Cashier, number: int, code: str) -> None:
    shop.menu("add_operator")
    shop.type_in("Add an operator", str(number))
    shop.page("Role of operator")
    shop.world.press("1")
    shop.type_in("New code", code)
    shop.type_in("New code once more", code)


def test_the_last_of_sixty_operators_logs_in_and_the_next_is_refused_in_words(
    make_cashier: Callable[..., Cashier],
) -> None:
    many = tuple(Operator(number, "c", f"{(number * 7919) % 10000:04}") for number in range(1, MOST - 2))
    shop = make_cashier(operators=(*many, STAFF[1]))  # and operator 90: one place is left
    shop.world.power_on()
    shop.page("Log in")
    log_in(shop, 99)
    shop.page("Type the amount")
    last = MOST - 2
    new_operator(shop, last, "2580")
    shop.page(f"Operator {last} added")
    shop.world.press("E")
    shop.home()
    new_operator(shop, last + 1, "2580")
    said = " ".join(shop.page("Not done"))
    assert f"No more than {MOST} operators" in said, said
    shop.world.press("E")
    shop.home()
    listed = on_the_list(shop)
    assert listed == dict.fromkeys(range(1, last + 1), "Cashier") | {90: "Supervisor", 99: "Administrator"}
    assert len(listed) == MOST
    shop.home()
    log_out(shop)
    log_in(shop, last, "2580")
    shop.page("Type the amount")
    log_out(shop)
    log_in(shop, many[0].number, many[0].code)
    shop.page("Type the amount")
    shop.world.power_off()
    shop.world.power_on()
    shop.page("Log in")
    log_in(shop, 99)
    shop.page("Type the amount")
    shop.menu("remove_operator")
    shop.type_in("Remove an operator", "1")
    shop.agree_to("Remove this operator?")
    shop.page("Operator 01 removed")
    shop.world.press("E")
    shop.home()
    new_operator(shop, last + 1, "2580")
    shop.page(f"Operator {last + 1} added")


def minutes(shop: Cashier, count: int) -> None:
    """Let minutes pass in which nobody touches the till."""
    for _ in range(count):
        shop.world.run_for(_MINUTE_MS, 60)


def test_who_walks_away_is_logged_out_but_neither_a_payment_nor_its_receipt_is_lost(shop: Cashier) -> None:
    log_in(shop, 1)
    shop.page("Type the amount")
    minutes(shop, 3)
    assert shop.sees("Type the amount"), shop.drawn()
    shop.world.press("U")
    minutes(shop, 4)  # counted from the last key
    assert shop.sees("Type the amount"), shop.drawn()
    minutes(shop, 3)
    assert shop.sees("Log in"), shop.drawn()
    log_in(shop, 1)
    shop.page("Type the amount")
    shop.world.chips.printer.paper = False
    shop.offer(1250)
    shop.page("Approved")
    shop.world.wait_screen("paper", 30)
    shop.world.remove()
    minutes(shop, 12)
    said = " ".join(shop.drawn())
    assert "Approved" in said and "paper" in said and "¥12.50" in said, said
    shop.world.chips.printer.paper = True
    shop.world.press("E")
    shop.world.wait(lambda: any("12.50" in paper.text() for paper in shop.world.receipts), "the receipt", 30)
    minutes(shop, 8)
    assert shop.sees("Log in"), shop.drawn()
    assert shop.ledger() == [(1250, "APPROVED")]


def test_who_leaves_a_page_that_waits_for_ever_gives_nobody_their_rights(shop: Cashier) -> None:
    log_in(shop, 90)
    shop.page("Type the amount")
    shop.world.chips.printer.paper = False
    shop.offer(1250)
    shop.world.wait_screen("paper", 30)
    shop.world.remove()
    minutes(shop, 3)
    shop.world.press("E")
    shop.world.wait_screen("paper", 30)
    minutes(shop, 3)
    shop.world.press("C")
    assert "Type the amount" in shop.page("Type the amount"), "never five minutes without a key"
    shop.offer(700)
    shop.world.wait_screen("paper", 30)
    shop.world.remove()
    minutes(shop, 6)
    shop.world.press("C")
    shop.world.wait(lambda: shop.sees("Type the amount") or shop.sees("Log in"), "the next page", 30)
    assert "Log in" in shop.drawn()
    log_in(shop, 1)
    shop.page("Type the amount")
    assert shop.ledger() == [(1250, "APPROVED"), (700, "APPROVED")]


def test_an_amount_left_on_the_screen_takes_no_payment_and_the_next_operator_does_not_find_it(shop: Cashier) -> None:
    log_in(shop, 1)
    shop.page("Type the amount")
    shop.world.press("1250")
    shop.page("¥12.50")
    minutes(shop, 9)
    assert shop.sees("Log in"), shop.drawn()
    log_in(shop, 90)
    shop.page("Type the amount")
    assert not shop.sees("12.50")
    assert shop.ledger() == []


def test_a_cut_in_the_pause_after_wrong_codes_begins_the_pause_anew(shop: Cashier) -> None:
    for _ in range(5):
        shop.type_in("Log in", "1")
        shop.type_in("Code of operator 01", "1111")
        shop.drawn()
        shop.world.press("C")
        shop.page("Log in")
    shop.type_in("Log in", "1")
    assert "30" in " ".join(shop.page("Wait"))
    shop.world.run_for(20_000)
    shop.world.power_off()
    shop.world.power_on()
    shop.page("Log in")
    shop.type_in("Log in", "1")
    shop.page("Wait")
    shop.world.run_for(20_000)
    assert shop.sees("Wait") and not shop.sees("Code of operator"), shop.drawn()
    shop.world.run_for(12_000)
    shop.type_in("Code of operator 01", CODES[1])
    shop.page("Type the amount")
