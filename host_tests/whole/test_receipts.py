# SPDX-License-Identifier: MIT
"""Receipts: what is on them, copies, and every way a printer can fail in the middle of one."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
import zxingcpp
from PIL import Image

from host_tests.harness.whole.cashier import Cashier
from host_tests.harness.whole.staff import log_in
from tools.world import shown_code

PAGE = "https://pay.example.com"
NO_PRINTER, DRAWN, BOTH = b"\x00\x00", b"\x20\x01", b"\x20\x02"


def uid(cashier: Cashier) -> str:
    """The newest payment's uid at the host."""
    with cashier.host.ledger.read() as db:
        return db.exec_driver_sql("SELECT uid FROM payment ORDER BY sequence DESC").scalar_one()


def test_a_card_receipt_has_what_the_schemes_ask_for(cashier: Cashier) -> None:
    cashier.sell(4725, "maple")
    text = cashier.world.receipts[0].text()
    for pattern in (
        r"^Card +541333\*{6}0019$", r"^APP +MASTERCARD$", r"^AID +A0000000041010$", r"^ARQC +[0-9A-F]{16}$",
        r"^ATC +0001$", r"^TVR [0-9A-F]{10} +TSI [0-9A-F]{4}$", r"^Auth code +\d{6}$", r"^Reference +\d{12}$",
        r"^ +MERCHANT COPY$", r"^ +No PIN or signature needed$",
    ):  # fmt: skip
        assert re.search(pattern, text, re.M), (pattern, text)
    assert "Queue number" not in text and "DUPLICATE" not in text
    assert "5413330000000019" not in text


def test_a_payment_to_be_authorised_shows_so_and_its_number_in_the_queue(make_cashier: Callable) -> None:
    cashier = make_cashier()
    cashier.sign_on()
    cashier.world.radio.state = "off"
    cashier.world.run_for(3000)
    cashier.offer(500, "jade")
    text = cashier.end("Accepted")
    assert "OFFLINE, TO BE AUTHORISED" in text and re.search(r"^Queue number +1$", text, re.M), text
    assert re.search(r"^ARQC +[0-9A-F]{16}$", text, re.M)


def test_cash_shows_nothing_of_a_card(cashier: Cashier) -> None:
    cashier.sell(700)
    cashier.menu("cash")
    cashier.type_in("Cash sale: amount", "500")
    cashier.type_in("Given by the customer", "500")
    text = cashier.end("Paid in cash")
    assert "PAID IN CASH" in text and "AID " not in text.replace("PAID", "") and "PIN" not in text


def test_the_customers_copy_comes_on_request_and_is_no_duplicate(cashier: Cashier) -> None:
    cashier.offer(1250)
    cashier.page("Approved")
    cashier.world.wait_screen("Copy")
    cashier.world.press("D")
    cashier.world.wait(lambda: len(cashier.world.receipts) == 2, "the copy")
    cashier.world.remove()
    cashier.home()
    mine, theirs = (paper.text() for paper in cashier.world.receipts)
    assert theirs == mine.replace("MERCHANT COPY", "CUSTOMER COPY") != mine


def test_a_second_customers_copy_is_a_duplicate(cashier: Cashier) -> None:
    cashier.offer(1250)
    cashier.page("Approved")
    for count in (2, 3):
        cashier.world.wait_screen("Copy")
        cashier.world.press("D")
        cashier.world.wait(lambda count=count: len(cashier.world.receipts) == count, "the copy")
        cashier.drawn()
    cashier.world.remove()
    cashier.home()
    first, second = (paper.text() for paper in cashier.world.receipts[1:])
    assert "CUSTOMER COPY" in first and "DUPLICATE" not in first
    assert "CUSTOMER COPY" in second and "DUPLICATE" in second


def test_the_customers_copy_can_be_printed_every_time(make_cashier: Callable) -> None:
    cashier = make_cashier(printer=BOTH)
    cashier.sign_on()
    cashier.sell(1250)
    first, second = (paper.text() for paper in cashier.world.receipts)
    assert "MERCHANT COPY" in first and "CUSTOMER COPY" in second


def test_the_code_on_a_receipt_is_the_address_of_the_payment(make_cashier: Callable) -> None:
    cashier = make_cashier(receipt_page=PAGE)
    cashier.sign_on()
    cashier.sell(1250)
    (paper,) = cashier.world.receipts
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(paper.png())).convert("L"))
    assert found.text == f"{PAGE}/payments/KASSA001/{uid(cashier)}"


def test_without_a_printer_the_receipt_is_a_code_and_a_list_on_the_screen(make_cashier: Callable) -> None:
    cashier = make_cashier(receipt_page=PAGE, printer=NO_PRINTER)
    cashier.sign_on()
    cashier.offer(1250)
    assert cashier.page("Approved")
    cashier.world.remove()
    cashier.world.wait_screen("Receipt")
    cashier.world.press("D")
    cashier.page("scan")
    assert shown_code.read(cashier.world.chips.display.pixels) == f"{PAGE}/payments/KASSA001/{uid(cashier)}"
    cashier.world.press("D")
    assert "476173******0011" in " ".join(cashier.page("Merchant"))
    cashier.world.press("C")
    cashier.page("Approved")
    cashier.home()
    assert not cashier.world.receipts and cashier.agree() == 1250


def open_cover(printer) -> None:  # noqa: ANN001 - a PrinterPeer
    printer.cover_open = True


def pull_cable(printer) -> None:  # noqa: ANN001
    printer.plugged_in = False


def lose_power(printer) -> None:  # noqa: ANN001
    printer.power_cycle()
    printer.plugged_in = False


def take_paper(printer) -> None:  # noqa: ANN001
    printer.paper = False


def repair(cashier: Cashier) -> None:
    printer = cashier.world.chips.printer
    printer.cover_open, printer.plugged_in, printer.paper = False, True, True


FAULTS = {
    "cover": (open_cover, "open or jammed"),
    "cable": (pull_cable, "does not answer"),
    "power": (lose_power, "does not answer"),
    "paper": (take_paper, "No paper"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("moment", ["Merchant", "APPROVED"])
def test_a_fault_while_printing_loses_nothing_and_prints_nothing_twice(
    cashier: Cashier, fault: str, moment: str
) -> None:
    world, printer = cashier.world, cashier.world.chips.printer
    happen, said = FAULTS[fault]
    cashier.offer(1250)
    world.wait(lambda: moment in printer.paper_text, "the printer at work", 30)
    happen(printer)
    assert "¥12.50" in " ".join(cashier.page(said))
    assert cashier.sees("Skip") and cashier.sees("Print")
    world.remove()
    world.run_for(600_000)  # no time-out throws it away
    assert cashier.sees("Skip")
    repair(cashier)
    world.press("E")
    cashier.page("E OK")
    cashier.home()
    text = "".join(paper.text() for paper in world.receipts)
    whole = text.count("MERCHANT COPY")
    assert whole - text.count("DUPLICATE") <= 1 and whole, text
    last = world.receipts[-1].text()
    assert "MERCHANT COPY" in last and "12.50" in last and ("DUPLICATE" in last) == (fault in ("cable", "power")), last


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_before_the_first_line_needs_no_duplicate(cashier: Cashier, fault: str) -> None:
    happen, said = FAULTS[fault]
    happen(cashier.world.chips.printer)
    cashier.offer(1250)
    cashier.page(said)
    cashier.world.remove()
    repair(cashier)
    cashier.world.press("E")
    cashier.page("E OK")
    cashier.home()
    (paper,) = cashier.world.receipts
    assert "APPROVED" in paper.text() and "DUPLICATE" not in paper.text()


def test_the_slip_of_a_batch_waits_for_paper_too(cashier: Cashier) -> None:
    cashier.sell(1250)
    cashier.world.chips.printer.paper = False
    cashier.menu("settle")
    cashier.world.wait_screen("Settle the batch?")
    cashier.world.press("E")
    cashier.page("No paper")
    cashier.world.run_for(600_000)
    repair(cashier)
    cashier.world.press("E")
    cashier.page("alanced")
    cashier.home()
    assert "SETTLEMENT" in cashier.world.receipts[-1].text()


def test_after_a_power_cut_while_printing_the_receipt_is_offered_again(cashier: Cashier) -> None:
    cashier.offer(1250)
    cashier.world.wait(lambda: "Merchant" in cashier.world.chips.printer.paper_text, "the printer at work", 30)
    cashier.world.power_off()
    cashier.world.remove()
    cashier.back()
    cashier.world.press("E")
    cashier.world.wait(lambda: any("DUPLICATE" in paper.text() for paper in cashier.world.receipts), "a duplicate", 30)
    cashier.home()
    assert "12.50" in cashier.world.receipts[-1].text()


def test_a_printer_without_chinese_prints_pictures_of_the_lines(make_cashier: Callable) -> None:
    cashier = make_cashier(printer=DRAWN)
    cashier.world.chips.printer.knows_chinese = False
    cashier.sign_on()
    cashier.sell(1250)
    (paper,) = cashier.world.receipts
    drawn = [line for line in paper.lines if line.picture]
    assert len(drawn) > 20 and not any(line.text for line in paper.lines)
    name = drawn[0].draw()
    black = [x for x in range(name.width) if any(not name.getpixel((x, y)) for y in range(name.height))]
    assert abs((black[0] + black[-1]) // 2 - 192) < 8 and black[-1] - black[0] > 100  # four characters in the middle


def test_the_printer_is_set_up_in_the_menu(cashier: Cashier) -> None:
    world = cashier.world
    cashier.menu("printer_set_up")
    cashier.page("58 mm")
    world.press("E")
    cashier.page("80 mm")
    world.chips.printer.columns = 48
    world.press("DDDE")
    world.wait(lambda: len(world.receipts) == 1, "the test page", 30)
    cashier.page("80 mm")  # the test is still chosen
    world.press("UUUE")
    cashier.page("no printer")
    world.press("E")
    cashier.page("58 mm")
    world.press("C")
    cashier.home()
    text = world.receipts[0].text()
    assert "-" * 48 in text and "[KASSA001]" in text


def test_a_receipt_names_who_took_the_payment_whoever_prints_it_again(shop: Cashier) -> None:
    log_in(shop, 1)
    shop.page("Type the amount")
    shop.sell(1250)
    shop.world.power_off()
    shop.back()  # nobody is logged in
    shop.world.press("E")
    shop.world.wait(lambda: len(shop.world.receipts) == 2, "the duplicate", 30)
    shop.page("Log in")
    log_in(shop, 90)
    shop.page("Type the amount")
    shop.menu("reprint")
    shop.world.wait(lambda: len(shop.world.receipts) == 3, "another duplicate", 30)
    shop.home()
    for paper in shop.world.receipts:
        assert re.search(r"^Operator +01$", paper.text(), re.M), paper.text()
