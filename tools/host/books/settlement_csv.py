# SPDX-License-Identifier: MIT
"""A settlement as CSV, for a spreadsheet: one line a payment, then refunds' set-off, fee, and what came from before.

The column "amount" adds up to what is paid out; there is no line with a total.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

from sqlalchemy import Connection, Row, select

from tools.host.books import totals
from tools.host.books.clearing import NOT_CLEARED
from tools.host.books.money import text
from tools.host.errors import StateError
from tools.host.store.schema import payment
from tools.host.store.schema_books import settled
from tools.host.store.schema_books import statement as posted
from tools.host.wire import kinds

HEAD = ("day", "merchant", "what", "amount", "currency", "terminal", "batch", "record", "approved", "reference", "card")
ENCODING = "utf-8-sig"  # so that spreadsheets know it
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # a spreadsheet would take such a cell for a formula


def write(db: Connection, of: Row[Any], file: TextIO) -> int:
    """Write one settlement. Returns the sum of its lines, minor units; it is what the settlement pays."""
    sheet = csv.writer(file)
    sheet.writerow(HEAD)
    total = 0
    for amount, what, rest in _lines(db, of):
        total += amount
        row = (of.day, of.mid, what, text(amount), of.currency, *rest)
        sheet.writerow([cell if place == 3 else safe(cell) for place, cell in enumerate(row)])
    return total


def name(of: Row[Any]) -> str:
    """What the file is called."""
    return f"settlement-{of.day}-{of.mid.strip()}.csv"


def content(db: Connection, of: Row[Any]) -> bytes:
    """The whole file, for a download: the bytes that `write` gives a file of ENCODING. Raises StateError: see check."""
    file = io.TextIOWrapper(io.BytesIO(), ENCODING, newline="")
    check(of, write(db, of, file))
    file.flush()
    return file.buffer.getvalue()  # type: ignore[attr-defined]


def check(of: Row[Any], total: int) -> None:
    """Raises StateError if the lines do not add up to what the settlement pays, minor units."""
    if total != of.net:
        raise StateError(f"{of.mid}, {of.day}: the lines add up to {total}, the settlement is {of.net}; see audit")


def safe(cell: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _lines(db: Connection, of: Row[Any]) -> Iterator[tuple[int, str, Sequence[str]]]:
    batches = select(posted.c.tid, posted.c.epoch, posted.c.batch).join(
        settled, (settled.c.mid == posted.c.mid) & (settled.c.posting == posted.c.posting)
    )
    mine = settled.c.mid == of.mid, settled.c.day == of.day
    for tid, epoch, number in sorted(db.execute(batches.where(*mine).distinct()).all()):
        approved = totals.in_batch(tid, epoch, number) & (payment.c.state == "APPROVED") & (payment.c.mid == of.mid)
        wanted = select(payment).where(approved, payment.c.type.not_in(NOT_CLEARED)).order_by(payment.c.sequence)
        for row in db.execute(wanted):
            card = f"**** {row.last4}" if row.first6 != "000000" else ""
            rest = tid, number, f"{epoch}/{row.sequence}", (row.answered or "")[:19], row.rrn or "", card
            yield row.worth, kinds.KINDS[row.type].name, rest
    nothing = [""] * (len(HEAD) - 5)
    if of.fee:
        yield -of.fee, f"fee {text(of.rate)} % of {text(of.sales)}", nothing
    if of.carried:
        yield of.carried, "from before", nothing
