# SPDX-License-Identifier: MIT
"""The ESC/POS driver on the virtual printer: text on the paper, and every printer fault."""

import pytest

from tools.world.printer import COLUMNS

PRINT = """
import asyncio, time
from board import Board
from kassa.errors import PrinterFault
from kassa.gbk import Table
printer, table = Board().printer(), Table()
LINES = [
    ("阳光便利店", 1, True, 2),
    ("Card 411111******1111", 0, False, 1),
    ("¥1,234.50", 2, True, 1),
    ("✓ 谢谢惠顾", 1, False, 1),
    ("x" * 500, 0, False, 1),
]
async def main():
    begin = time.ticks_ms()
    try:
        await printer.print(LINES, table.code)
        print("printed")
    except PrinterFault as fault:
        print("fault:", fault, time.ticks_diff(time.ticks_ms(), begin) < 1000)
asyncio.run(main())
"""


def test_a_receipt_is_printed_as_composed(run_script) -> None:
    world = run_script(PRINT)
    world.wait_off()
    assert "printed" in world.console
    (receipt,) = world.receipts
    head, card, amount, thanks = receipt.lines[:4]
    *long, rest = receipt.lines[4:-3]
    assert (head.text, head.align, head.bold, head.size) == ("阳光便利店", 1, True, 2)
    assert (card.text, card.align, card.bold, card.size) == ("Card 411111******1111", 0, False, 1)
    assert amount.laid_out().endswith("￥1,234.50") and amount.bold
    assert thanks.text == "? 谢谢惠顾"  # GBK has no check mark
    assert {line.text for line in long} == {"x" * COLUMNS}  # wrapped at the end of a line
    assert rest.text == "x" * len(rest.text) and len(long) == 3  # truncated without overflow
    assert [line.text for line in receipt.lines[-3:]] == ["", "", ""]


def test_missing_paper_is_reported_before_the_first_line(new_world) -> None:
    world = new_world(PRINT)
    world.chips.printer.paper = False
    world.power_on()
    world.wait_off()
    assert "fault: no paper True" in world.console
    assert world.receipts == []


def test_a_dead_printer_is_detected_within_a_second(new_world) -> None:
    world = new_world(PRINT)
    world.chips.printer.answers = False
    world.power_on()
    world.wait_off()
    assert "fault: no answer True" in world.console


def test_paper_that_runs_out_during_printing_is_a_fault(new_world) -> None:
    world = new_world(PRINT)
    world.chips.printer.lines_left = 2
    world.power_on()
    world.wait_off()
    assert "fault: no paper" in world.console
    assert "printed" not in world.console


LONG = PRINT.replace("< 1000", "// 1000").replace(
    "LINES = [", "LINES = [('line %d' % n, 0, False, 1) for n in range(30)] + ["
)


@pytest.mark.parametrize("real_time", [True, False])
@pytest.mark.parametrize("line_ms", [50, 150])
def test_the_driver_waits_for_a_slow_printer(new_world, real_time: bool, line_ms: int) -> None:
    """A printer that answers status requests only in their turn is not treated as absent while it prints."""
    world = new_world(LONG)
    printer = world.chips.printer
    printer.real_time, printer.line_ms = real_time, line_ms
    world.power_on()
    world.wait_off()
    assert "printed" in world.console, world.console
    assert len(world.receipts) == 1 and world.receipts[0].lines[29].text == "line 29"


@pytest.mark.parametrize("real_time", [True, False])
@pytest.mark.parametrize("lines", [1, 15, 29])
def test_paper_that_runs_out_after_all_lines_were_sent_is_a_fault(new_world, real_time: bool, lines: int) -> None:
    """The driver has sent all lines long before the printer reaches the end of its paper."""
    world = new_world(LONG)
    printer = world.chips.printer
    printer.real_time, printer.lines_left = real_time, lines
    world.power_on()
    world.wait_off()
    assert "fault: no paper" in world.console, world.console
    assert "printed" not in world.console


@pytest.mark.parametrize("real_time", [True, False])
def test_a_printer_without_gs_r_prints_and_reports_missing_paper(new_world, real_time: bool) -> None:
    world = new_world(LONG)
    printer = world.chips.printer
    printer.real_time, printer.knows_status = real_time, False
    world.power_on()
    world.wait_off()
    assert "printed" in world.console, world.console
    printer.lines_left = 20
    world.power_on()
    world.wait_off()
    assert "fault: no paper" in world.console, world.console


def test_a_printer_that_dies_during_printing_is_a_fault(new_world) -> None:
    world = new_world(LONG)
    printer = world.chips.printer
    world.power_on()
    world.wait(lambda: "line 5" in printer.paper_text, "the fifth line")
    printer.answers = False
    world.wait_off()
    assert "fault: no answer" in world.console, world.console


PAPERS = {"58 mm": 32, "80 mm": 48}
WIDE = """
import asyncio
import wiring
from kassa.drivers.escpos import Printer
from kassa.gbk import Table
from machine import UART
LINES = [
    ("阳光便利店", 1, True, 2),
    ("-", 0, False, 1),
    ("Amount\\t1.00", 0, False, 1),
    ("合计" * 6 + "\\t¥99,999,999.99", 0, False, 1),
    ("y" * 100, 0, False, 1),
]
asyncio.run(Printer(UART(wiring.PRINTER_UART, 115200), %s).print(LINES, Table().code))
print("printed")
"""


@pytest.mark.parametrize("paper", PAPERS)
def test_lines_are_laid_out_for_the_width_of_the_paper(new_world, paper: str) -> None:
    columns = PAPERS[paper]
    world = new_world(WIDE % columns)
    world.chips.printer.columns = columns
    world.power_on()
    world.wait_off()
    assert "printed" in world.console, world.console
    (receipt,) = world.receipts
    lines = [line.text for line in receipt.lines]
    assert lines[1] == "-" * columns
    assert lines[2] == "Amount" + "1.00".rjust(columns - 6)
    total, value = "合计" * 6, "￥99,999,999.99"  # 24 and 15 columns
    if columns == 48:
        assert lines[3] == total + " " * 9 + value
    else:
        assert lines[3:5] == [total, " " * 17 + value]
    assert lines.count("y" * columns) == 100 // columns and lines[-4] == "y" * (100 % columns)


def test_a_printer_without_a_line_back_prints_without_asking(new_world) -> None:
    world = new_world(WIDE % "48, answers=False")
    printer = world.chips.printer
    printer.columns, printer.answers, printer.knows_status = 48, False, False
    world.power_on()
    world.wait_off()
    assert "printed" in world.console, world.console
    printer.finish()
    assert printer.receipts[0].lines[1].text == "-" * 48


MANY = PRINT.replace(
    "LINES = [", "LINES = ((('line %d\\t1,234.50') % n, 0, False, 1) for n in range(200)) if True else ["
).replace(
    "asyncio.run(main())",
    "import gc; gc.collect(); before = gc.mem_alloc(); asyncio.run(main()); gc.collect(); print('kept', gc.mem_alloc() - before)",
)


def test_a_receipt_of_200_lines_is_never_more_than_the_printer_holds(new_world) -> None:
    world = new_world(MANY)
    world.power_on()
    world.wait_off(60)
    assert "printed" in world.console, world.console
    (receipt,) = world.receipts
    assert [line.text.split()[1] for line in receipt.lines if line.text] == [str(number) for number in range(200)]
    assert not world.chips.printer.lost
    assert int(world.console.split("kept")[1].split()[0]) < 2048


def test_an_open_cover_is_a_fault_before_and_while_printing(new_world) -> None:
    world = new_world(LONG)
    printer = world.chips.printer
    printer.cover_open = True
    world.power_on()
    world.wait_off()
    assert "fault: its cover is open" in world.console and not world.receipts
    printer.cover_open = False
    world.power_on()
    world.wait(lambda: "line 5" in printer.paper_text, "the fifth line")
    printer.cover_open = True
    world.wait_off()
    assert world.console.count("fault: its cover is open") == 2, world.console
