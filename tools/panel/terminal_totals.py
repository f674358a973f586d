# SPDX-License-Identifier: MIT
"""What the terminal owes and has settled, read from its flash chip as any owner of the device secret could."""

from pathlib import Path
from typing import Any

from tools.host import kinds
from tools.journal import image

_EPOCH_2000 = 946_684_800
_NEWEST = 40


def read(home: Path) -> dict[str, Any]:
    """The open batch's payments by what became of them; amounts in minor units, times local seconds since 1970.

    `waiting` counts what was accepted and not yet answered; its rows also hold the one the host is being asked about.
    """
    journal = image.of(home)
    closed = journal.closed
    rows = [_row(record, journal.state(record)) for record in journal.records.values() if record.sequence > closed]
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
    """What a settled record brings the merchant; a tip or adjustment, what it adds to its sale."""
    record = journal.records[sequence]
    about = journal.records.get(record.original)
    return kinds.worth(record.type, record.amount, about.amount if about else record.amount)


def _row(record: image.Record, state: str) -> dict[str, Any]:
    return {
        "sequence": record.sequence,
        "uid": record.uid.hex(),
        "stan": f"{record.stan:06}",
        "amount": kinds.signed(record.type, record.amount),
        "card": f"{record.first6}******{record.last4}" if record.first6 != "000000" else "",
        "counts": kinds.KINDS[record.type].effect not in (kinds.NOTHING, kinds.INSTEAD),
        "state": state,
        "at": record.time + _EPOCH_2000,
    }
