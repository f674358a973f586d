# SPDX-License-Identifier: MIT
"""Prints a receipt or a slip, and stays with it until it is printed, or until the cashier lets it go.

Setting 20 says what the printer is: columns (0 = there is none), and how it prints. Without the setting it is a printer
of 32 columns with Chinese characters.
"""

from micropython import const

from kassa import overlay
from kassa.errors import PrinterFault
from kassa.flows.session import Session

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from kassa.drivers.escpos import Line, Printer

    # Makes the lines: (session, *values, again=...), see flows/steps/receipt.py.
    Writer = Callable[..., Iterator[tuple]]

_PRINTER = const(0x20)  # setting: columns 1 B, bits 1 B
_DRAWN = const(1)  # it has no Chinese characters: lines are sent as pictures
_BOTH = const(2)  # the customer's copy is always printed too
_NUMBER = const(32)  # digits
_FOR_EVER = const(0x0FFFFFFF)  # ms: no time-out throws a receipt away
_FAULTS = const("paper=fault_paper open=fault_cover")


async def payment(session: Session, page: tuple, *values: object) -> str:
    """Print the receipt of a payment, and the customer's copy if it is always wanted. `page`, `values`: see `print_out`.

    Returns the keys to offer then: for the customer's copy, for the receipt on the screen, or "" if the cashier skipped it.
    """
    from kassa.flows.steps import receipt

    columns, bits = _printer(session)
    if not columns:
        return "E=key_ok D=key_receipt"
    if not await print_out(session, page, False, receipt.payment, *values):
        return ""
    if not bits & _BOTH:
        return "E=key_ok D=key_customer_copy"
    return "E=key_ok" if await print_out(session, page, False, receipt.payment, *values, True) else ""


async def print_out(session: Session, page: tuple, again: bool, write: "Writer", *values: object) -> bool:
    """Print what `write(session, *values, again=...)` yields. Returns whether it was printed; False: the cashier skipped it.

    After a fault the page says what to do, and waits: the receipt is printed again, marked as a duplicate if some of it may
    be on paper already, or shown on the screen. `page`: kind, title, lines and amount of that page, see Ui.message.
    `again`: it was printed before. Without a printer it is shown on the screen.
    """
    overlay.enter("receipt")
    columns, bits = _printer(session)
    if not columns:
        await show(session, write(session, *values, again=again))
        return True
    printer, key = session.printer(columns), ord("E")
    kind, title, lines, amount = page
    while True:
        fault = ""
        if key == ord("D"):
            await show(session, write(session, *values, again=again))
        else:
            fault = await _print(session, printer, write(session, *values, again=again), bits)
            if not fault:
                return True
        again = again or printer.begun
        shown = [session.ui.t(key) for key in (fault, "printer_to_do") if key] + list(lines)
        key = await session.ui.message(
            kind, title, shown, "E=key_print C=key_skip D=key_receipt", _FOR_EVER, amount, fresh=True
        )
        if key == ord("C"):
            return False


async def _print(session: Session, printer: "Printer", lines: "Iterable[Line]", bits: int) -> str:
    """Print the lines, unless the printer held them and prints them now. Returns "", or the text key of a fault."""
    table = None
    try:
        if await printer.resume():
            return ""
        if bits & _DRAWN:
            from kassa.flows.steps import drawn_lines

            await drawn_lines.print_all(printer, lines, session.ui.canvas)
        else:
            from kassa.gbk import Table

            table = Table()
            await printer.print(lines, table.code)
    except PrinterFault as fault:
        for known in _FAULTS.split():
            word, _, key = known.partition("=")
            if word in str(fault):
                return key
        return "fault_printer"
    except (OSError, ValueError):  # the character table is missing or damaged
        return "fault_printer"
    finally:
        if table is not None:
            table.close()
    return ""


async def show(session: Session, lines: "Iterable[Line]") -> None:
    """Show the lines on the screen: for a terminal without a printer, or one that does not print."""
    ui, rows, address = session.ui, [], ""
    for text, align, _, _ in lines:
        left, _, right = text.partition("\t")
        if align == 3:
            address = text
        elif text and text != "-":
            rows.append(("", text) if align == 2 else (left, right))
    if len(address) > _NUMBER:  # an address, not only the number of the payment
        from kassa.screens import qr

        title, hint = ui.t("key_receipt"), ui.t("receipt_scan")
        await qr.show(ui, title, "", address.encode(), (hint,), "D=key_more C=key_back")
        if await ui.key("CD") != ord("D"):
            return
    await ui.list(ui.t("key_receipt"), rows, choose=False)


def _printer(session: Session) -> "tuple[int, int]":
    """(columns, bits) of the setting."""
    value = session.settings.get(_PRINTER, b"\x20\x00")
    return value[0], value[1]
