# SPDX-License-Identifier: MIT
"""The terminal's waiting and settled payments, read from its flash chip with the device secret."""

from pathlib import Path
from typing import Any

from tools.host.wire import kinds
from tools.journal import image

_EPOCH_2000 = 946_684_800
_NEWEST = 40


def read(home: Path) -> dict[str, Any]:
    """The open batch's payments by state. Amounts are in minor units, times in local seconds since 1970.

    `waiting` counts the payments accepted but not yet answered; its rows include the one now being authorised online.
    """
    journal = image.of(home)
    closed = journal.closed
    rows = [_row(journal, record) for record in journal.records.values() if record.sequence > closed]
    rows.sort(key=lambda row: -row["sequence"])
    waiting = [row for row in rows if row["state"] == "accepted"]
    asking = [row for row in rows if row["state"] == "prepared"]
    settled = [row for row in rows if row["state"] == "settled"]
    return {
        "waiting": {
            "count": len(waiting),
            "sum": sum(row["amount"] for row in waiting),
            "rows": (asking + waiting)[:_NEWEST],
        },
        "settled": {
            "count": sum(row["counts"] for row in settled),
            "sum": sum(_worth(journal, row["sequence"]) for row in settled),
        },
        "reversing": sum(row["state"] == "reversing" for row in rows),
        "last": rows[0] if rows else None,
        "records": len(journal.records),
        "damaged": len(journal.damaged),
    }


def _worth(journal: image.Journal, sequence: int) -> int:
    """The value of a settled record to the merchant. For a tip or adjustment: the change to its sale."""
    record = journal.records[sequence]
    about = journal.records.get(record.original)
    return kinds.worth(record.type, record.amount, about.amount if about else record.amount)


def word(record: image.Record, state: str, mark: str) -> str:
    """The text key of what the terminal's screen and receipt call a payment that waits: not always one to be authorised.

    `state`: see image.Journal.state. `mark`: the name of the mark that decided it, "" = none.
    """
    if state != "accepted":
        return "authorising" if state == "prepared" else state
    if record.type in (kinds.CASH, kinds.CASH_REFUND):
        return "cash_taken" if record.type == kinds.CASH else "cash_returned"
    if mark == "DEFERRED" and record.type not in kinds.REVERSED:
        return "unanswered"
    return "approved_card" if record.approved and mark != "DEFERRED" else state


def _row(journal: image.Journal, record: image.Record) -> dict[str, Any]:
    state, mark = journal.state(record), journal.dispositions.get(record.sequence, "")
    return {
        "sequence": record.sequence,
        "uid": record.uid.hex(),
        "stan": f"{record.stan:06}",
        "amount": kinds.signed(record.type, record.amount),
        "card": f"{record.first6}******{record.last4}" if record.first6 != "000000" else "",
        "counts": kinds.KINDS[record.type].effect not in (kinds.NOTHING, kinds.REPLACES),
        "state": state,
        "word": word(record, state, mark),
        "at": record.time + _EPOCH_2000,
    }
