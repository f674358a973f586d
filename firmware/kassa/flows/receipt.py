# SPDX-License-Identifier: MIT
"""Receipts and slips: what stands on the paper. A line is (text, align 0 left 1 centre 2 right, bold, size)."""

from micropython import const

from kassa import kinds, money, transactions
from kassa.calendar import date
from kassa.errors import PrinterFault
from kassa.flows.shop import Shop
from kassa.modules import forget
from kassa.vault.layout import FLAG_CLOCK, Record
from kassa.vault.reader import Reader

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.desk.batch import Totals
    from kassa.uplink.outcome import Outcome

_COLUMNS = 32
_ENTRIES = {0x03: "r_code", 0x07: "r_contactless"}
_STATES = {
    "approved": "r_approved",
    "approved_card": "r_approved_card",
    "accepted": "r_offline",
    "voided": "r_approved",
    "refunded": "r_approved",
    "preauthorised": "r_approved",
    "adjusted": "r_approved",
    "paid": "r_approved",
    "cash_taken": "r_cash_taken",
    "declined": "r_declined",
    "not_taken": "not_taken",
    "reversing": "reversing",
    "reversed": "r_reversed",
    "refused_later": "refused_later",
    "lost": "lost",
}


def when(at: int) -> str:
    """`2026-11-23 14:05:09`."""
    return "%04d-%02d-%02d %02d:%02d:%02d" % date(at)


def _width(text: str) -> int:
    return sum([2 if ord(letter) > 0x2E7F else 1 for letter in text])


def _pair(left: str, right: str) -> tuple:
    """Left and right on one line, or the value at the right when it is too long for the rest."""
    room = _COLUMNS - _width(left) - _width(right)
    return (left + " " * max(1, room) + right, 0, False, 1)


def payment(shop: Shop, record: Record, word: str, auth: str = "", rrn: str = "", again: bool = False) -> list:
    """The receipt of the newest payment; `word`: its fate, a key of _STATES. It carries the head of the payment chain."""
    t = shop.ui.t
    took_back = transactions.effect(record.type) == kinds.CREDIT
    lines = [(shop.name, 1, True, 2), ("", 0, False, 1)]
    if again:
        lines.append((t("r_duplicate"), 1, True, 1))
    lines += [
        _pair(t("r_merchant"), shop.merchant),
        _pair(t("r_terminal"), shop.terminal),
        _pair(t("r_operator"), "01"),
    ]
    if record.first6 != "000000":
        lines.append(_pair(t("r_card"), "%s******%s" % (record.first6, record.last4)))
    if record.entry in _ENTRIES:
        lines.append(_pair(t("r_entry"), t(_ENTRIES[record.entry])))
    lines += [
        _pair(t("r_type"), t("r_%02x" % record.type)),
        _pair(t("r_batch"), "%06d" % record.batch),
        _pair(t("r_trace"), "%06d" % record.stan),
    ]
    if record.original:
        page = bytearray(256)
        if Reader(shop.till.journal, record.original).read(page) == record.original:
            lines.append(_pair(t("r_original"), "%06d" % Record(page).stan))
    if auth:
        lines.append(_pair(t("r_auth"), auth))
    if rrn:
        lines.append(_pair(t("r_reference"), rrn))
    lines.append((t("r_date" if record.flags & FLAG_CLOCK else "r_date_untrusted"), 0, False, 1))
    lines.append((when(record.time), 2, False, 1))
    lines.append(("-" * _COLUMNS, 0, False, 1))
    lines.append((t("r_amount"), 0, False, 1))
    lines.append((money.text(-record.amount if took_back else record.amount), 2, True, 2))
    lines.append(("-" * _COLUMNS, 0, False, 1))
    lines.append((t(_STATES.get(word, word)), 1, True, 1))
    lines.append(("#%d %s" % (record.sequence, shop.till.journal.head.hex()), 1, False, 1))
    lines.append((t("r_thanks"), 1, False, 1))
    return lines


def settlement(shop: Shop, totals: "Totals", balanced: bool, outcome: "Outcome | None" = None) -> list:
    """The slip of a batch close; `outcome`: of one whose records were uploaded."""
    t = shop.ui.t
    lines = [
        (shop.name, 1, True, 2),
        (t("r_settlement"), 1, True, 1),
        _pair(t("r_merchant"), shop.merchant),
        _pair(t("r_terminal"), shop.terminal),
        _pair(t("r_batch"), "%06d" % totals.batch),
        (when(shop.clock.now()), 2, False, 1),
        ("-" * _COLUMNS, 0, False, 1),
        _pair("%s %d" % (t("r_debit"), totals.debit_count), money.text(totals.debit_sum)),
        _pair("%s %d" % (t("r_credit"), totals.credit_count), money.text(totals.credit_sum)),
    ]
    if totals.qr_count:
        lines.append(_pair("%s %d" % (t("r_qr"), totals.qr_count), money.text(totals.qr_sum)))
    if totals.cash_count:
        lines.append(_pair("%s %d" % (t("r_cash"), totals.cash_count), money.text(totals.cash_sum)))
    lines.append(("-" * _COLUMNS, 0, False, 1))
    lines.append((t("r_balanced" if balanced else "r_unbalanced"), 1, True, 1))
    if outcome is not None:
        lines.append(_pair(t("r_uploaded"), "%d" % outcome.uploaded))
        lines.append((outcome.text, 1, False, 1))
    return lines


async def output(shop: Shop, lines: list) -> str:
    """Print; returns "" or the text key of what is wrong with the printer."""
    printer = shop.printer()
    try:
        await printer.ready()
        await printer.print(lines, shop.ui.font.gbk)
    except PrinterFault as fault:
        return "fault_paper" if "paper" in str(fault) else "fault_printer"
    finally:
        forget("kassa.drivers.escpos")
    return ""
