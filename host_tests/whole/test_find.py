# SPDX-License-Identifier: MIT
"""Looking up payments on the terminal: search, details, receipt again, totals and list of the batch, offline limits."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from host_tests.harness.whole.cashier import Cashier
from tools.demo.shopkeeper import on_paper

LIST_ROW = re.compile(r"\d{6} +(.+?)  +(-?¥[\d.,]+)")


def rows(lines: list[str]) -> list[tuple[str, str]]:
    """(what, amount) of each payment in a list on the screen."""
    return [(found[1], found[2]) for line in lines if (found := LIST_ROW.search(line))]


def pay_in_cash(cashier: Cashier, amount: int) -> None:
    cashier.world.press(f"{amount}U")
    cashier.type_in("Given by the customer", str(amount))
    cashier.end("Paid in cash")


def back_home(cashier: Cashier) -> None:
    for _ in range(4):
        if cashier.drawn() and cashier.sees("Type the amount"):
            return
        cashier.world.press("C")
    cashier.home()


def ask(cashier: Cashier, entry: str, title: str, digits: str) -> None:
    cashier.menu(entry)
    cashier.type_in(title, digits)


def test_a_payment_is_found_by_amount_card_date_and_number(cashier: Cashier) -> None:
    cashier.sell(1280, "jade")
    cashier.sell(4500, "amber")
    pay_in_cash(cashier, 1280)
    ask(cashier, "find_amount", "By amount", "1280")
    assert rows(cashier.page("Card ** 0011")) == [("Cash", "¥12.80"), ("Card ** 0011", "¥12.80")]
    back_home(cashier)
    ask(cashier, "find_card", "By card", "0029")
    said = " ".join(cashier.page("Paid with"))
    assert "¥45.00" in said and "Card ** 0029" in said and "Approved" in said
    back_home(cashier)
    ask(cashier, "find_date", "By date", "")
    assert len(rows(cashier.page("2026-"))) == 3
    back_home(cashier)
    ask(cashier, "find_date", "By date", "0230")
    cashier.page("No such day")
    back_home(cashier)
    stan = list(cashier.journal().records.values())[1].stan
    ask(cashier, "find_trace", "Up to six digits", str(stan))
    assert "¥45.00" in " ".join(cashier.page("Paid with"))
    back_home(cashier)
    ask(cashier, "find_amount", "By amount", "77")
    cashier.page("No payment found")


def test_a_search_by_state_names_each_payment_as_its_receipt_did(cashier: Cashier) -> None:
    cashier.sell(1000)
    cashier.host.mood = "decline 51"
    cashier.sell(2000, result="Declined")
    cashier.host.mood = "normal"
    cashier.go_offline()
    cashier.sell(3000, "amber", "Accepted, to be authorised")
    for row, word, amount in ((1, "Approved", "10"), (2, "Accepted, to be authorised", "30"), (3, "Declined", "20")):
        cashier.menu("find_state")
        cashier.page("By state")
        cashier.world.press(str(row))
        said = " ".join(cashier.page("Paid with"))
        assert f"¥{amount}.00" in said and word in said, said
        back_home(cashier)


def test_any_receipt_is_printed_again_as_the_first_was(cashier: Cashier) -> None:
    """Of a batch closed before, too. Only what the chip said is missing."""
    cashier.sell(1280, "jade")
    first = cashier.world.receipts[-1].text()
    cashier.settle()
    cashier.sell(4500, "amber")
    ask(cashier, "find_amount", "By amount", "1280")
    cashier.page("E Print")
    cashier.world.press("E")
    cashier.world.wait(lambda: "DUPLICATE" in cashier.world.receipts[-1].text(), "the receipt")
    again = cashier.world.receipts[-1].text()
    lines = [line.split("#")[0].strip() for line in again.splitlines()]
    assert not set(lines) - {"DUPLICATE"} - {line.split("#")[0].strip() for line in first.splitlines()}
    for kept in ("Trace", "Batch", "Auth code", "Reference"):
        assert on_paper(kept, again) == on_paper(kept, first)
    assert "￥12.80" in again and "APPROVED" in again
    back_home(cashier)
    cashier.menu("last")
    cashier.page("E Print")
    cashier.world.press("E")
    cashier.world.wait(lambda: "￥45.00" in cashier.world.receipts[-1].text(), "the receipt")
    assert "DUPLICATE" in cashier.world.receipts[-1].text()


def test_a_receipt_is_printed_again_where_the_host_does_not_say_its_numbers(cashier: Cashier) -> None:
    cashier.sell(1280, "jade")
    cashier.sell(4500, "amber")
    for key in ("C", ""):  # the cashier goes on without them, or the time is over
        cashier.world.wait_screen("Online", 600)
        ask(cashier, "find_amount", "By amount", "1280")
        cashier.page("E Print")
        cashier.host.mood = "silent"
        printed = len(cashier.world.receipts)
        cashier.world.press("E")
        cashier.page("Asking the host for its numbers")
        cashier.world.press(key)
        cashier.world.wait(lambda: len(cashier.world.receipts) > printed, "the receipt", 60)  # noqa: B023
        cashier.page("E Print")
        cashier.host.mood = "normal"
        again = cashier.world.receipts[-1].text()
        assert "DUPLICATE" in again and "￥12.80" in again and "Reference" not in again
        back_home(cashier)


def test_a_long_result_is_paged_and_goes_on_to_older_ones(cashier: Cashier) -> None:
    cashier.go_offline()
    for number in range(40):
        pay_in_cash(cashier, 100 + number)
    ask(cashier, "find_date", "By date", "")
    assert rows(cashier.page("1/"))[0] == ("Cash", "¥1.39")
    count = int(re.search(r"1/(\d+)", " ".join(cashier.drawn()))[1])  # type: ignore[index]
    seen = set()
    for place in range(1, count + 1):
        if place % 6 == 1:
            seen |= {amount for _, amount in rows(cashier.page(f"{place}/"))}
        cashier.world.press("D")
    assert cashier.sees("Look for older ones") and 24 <= len(seen) < 40
    cashier.world.press("UU")
    place = str(int(re.search(r"(\d+)/", " ".join(cashier.drawn()))[1]))  # type: ignore[index]
    cashier.world.press("E")
    cashier.page("Paid with")
    cashier.world.press("C")
    cashier.page(f"{place}/{count}")  # back on the row that was opened
    cashier.world.press("DD")
    cashier.page("Look for older ones")
    cashier.world.press("E")
    cashier.world.wait(lambda: not cashier.sees("Look for older ones"), "older payments")
    seen |= {amount for _, amount in rows(cashier.drawn())}
    for place in (7, 13):
        cashier.world.press("DDDDDD")
        seen |= {amount for _, amount in rows(cashier.page(f"{place}/"))}
    assert len(seen) == 40


def test_a_long_list_on_paper_stops_when_the_cashier_cancels_it(make_cashier: Callable[..., Cashier]) -> None:
    cashier = make_cashier(printer=b"\x20\x01")  # it draws each line, and takes two at a time
    cashier.sign_on()
    for amount in range(500, 506):
        pay_in_cash(cashier, amount)
    cashier.menu("detail")
    for keys in ("M", "MC"):
        cashier.page("List of the batch")
        cashier.world.press(keys[0])
        cashier.world.wait_screen("Printing", 10)
        assert "C Cancel" in cashier.drawn()[-1]
        cashier.world.press(keys[1:])
        cashier.page("List of the batch")
    whole, cut = ([line for line in paper.lines if line.picture] for paper in cashier.world.receipts[-2:])
    assert len(cut) < len(whole) - 3


def test_totals_and_list_say_on_screen_and_paper_what_was_taken(cashier: Cashier) -> None:
    cashier.sell(1000)
    cashier.sell(2000, "amber")
    pay_in_cash(cashier, 550)
    cashier.world.press("200M")
    cashier.page("Add a tip")
    cashier.world.press("E")
    cashier.agree_to("Change the amount?")
    cashier.end("Accepted, to be authorised")
    cashier.menu("void")
    cashier.world.wait_screen("Void")
    cashier.page("Card ** 0011")
    cashier.world.press("E")
    cashier.agree_to("Void this payment?")
    cashier.supervise()
    cashier.end("Cash returned")
    cashier.host.mood = "decline 51"
    cashier.sell(9900, result="Declined")
    cashier.host.mood = "normal"
    cashier.go_offline()
    cashier.sell(3000, "amber", "Accepted, to be authorised")

    cashier.menu("totals")
    said = "\n".join(cashier.page("Totals of the batch"))
    for line in (r"Total +¥62.00", r"Sales +3 +¥60.00", r"Tips and changes +1 +¥2.00", r"Cash +1 +¥5.50"):
        assert re.search(line, said), said
    cashier.world.press("D")
    said += "\n".join(cashier.drawn())
    for line in (r"Cash refunds +1 +-¥5.50", r"Of these to send +1 +¥30.00"):
        assert re.search(line, said), said
    cashier.world.press("E")
    cashier.world.wait(lambda: "Totals of the batch" in cashier.world.receipts[-1].text(), "the slip")
    slip = cashier.world.receipts[-1].text()
    assert re.search(r"Sales +3 +￥60.00", slip) and slip.rstrip().endswith("￥62.00"), slip
    back_home(cashier)

    cashier.menu("detail")
    assert len(rows(cashier.page("List of the batch"))) == 6
    cashier.world.press("M")
    cashier.world.wait(lambda: "List of the batch" in cashier.world.receipts[-1].text(), "the slip")
    slip = cashier.world.receipts[-1].text()
    assert re.search(r"\d{6} CASH REFUND +-￥5.50", slip) and on_paper("Payments", slip) == "7", slip
    assert re.search(r"\d{6} Card \*\* 0011 +￥99.00\n +Declined", slip), slip
    cashier.page("List of the batch")
    cashier.world.press("DE")
    assert "Declined" in " ".join(cashier.page("Paid with"))


def test_offline_limits_show_the_room_left(cashier: Cashier) -> None:
    cashier.go_offline()
    cashier.menu("limits")
    before = " ".join(cashier.page("Offline limits"))
    back_home(cashier)
    cashier.sell(3000, "amber", "Accepted, to be authorised")
    cashier.menu("limits")
    after = " ".join(cashier.page("Offline limits"))
    cents = [int(re.search(r"Room left +¥([\d,]+)\.00", said)[1].replace(",", "")) for said in (before, after)]  # type: ignore[index]
    assert cents[0] - cents[1] == 30
    left = [int(re.search(r"Payments left +(\d+) of", said)[1]) for said in (before, after)]  # type: ignore[index]
    assert left[0] - left[1] == 1
    assert "Oldest waits" in after and "Oldest waits" not in before


def test_payments_refused_later_have_a_list_of_their_own(cashier: Cashier) -> None:
    cashier.menu("refused_list")
    cashier.page("Nothing was refused later")
    cashier.home()
    cashier.go_offline()
    cashier.sell(700, "jade", "Accepted")
    cashier.host.mood = "decline 05"
    cashier.drain()
    cashier.host.mood = "normal"
    cashier.go_offline()
    cashier.sell(900, "amber", "Accepted")
    cashier.menu("refused_list")
    assert " ".join(cashier.page("Refused later")).count("¥7.00") == 1 and not cashier.sees("¥9.00 ")


@pytest.mark.parametrize("key", "UDM")
def test_no_key_of_the_amount_page_takes_an_amount_of_zero(cashier: Cashier, key: str) -> None:
    cashier.world.press("E" + key)
    cashier.page("The amount is zero")
    cashier.world.press("C")
    cashier.home()


def test_an_empty_batch_says_so(cashier: Cashier) -> None:
    cashier.menu("detail")
    cashier.page("No payment in this batch")
    cashier.home()
    cashier.menu("totals")
    assert re.search(r"Total +¥0.00", " ".join(cashier.page("Totals of the batch")))
    back_home(cashier)
    for entry in ("last", "reprint"):
        cashier.menu(entry)
        cashier.page("No payment yet")
        cashier.home()
