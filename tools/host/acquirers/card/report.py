# SPDX-License-Identifier: MIT
"""Turns an acquirer's daily file into the form that `kassa-host reconcile` takes: its reference numbers become our uids."""

import csv
import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Row

from tools.host import private_files
from tools.host.acquirers.card import requests
from tools.host.acquirers.card.dialect import Dialect, Report
from tools.host.books import money
from tools.host.errors import OperatorError
from tools.host.store.ledger import Ledger

_HEAD = ("reference", "amount", "fee", "day")
_TOGETHER = 500


class Line(NamedTuple):
    """One line of the acquirer's file, amounts in minor units."""

    rrn: str
    amount: int
    fee: int
    day: str


def convert(ledger: Ledger, dialect: Dialect, source: Path, target: Path) -> tuple[int, int]:
    """Write `target`. Returns how many lines, and how many are of no transaction of ours: they keep the acquirer's
    reference number, so that reconciling lists them. Raises OperatorError; nothing is written then.
    """
    lines = list(read(dialect.report, source))
    known: dict[str, list[Row[Any]]] = {}
    with ledger.read() as db:
        for at in range(0, len(lines), _TOGETHER):
            for row in requests.by_rrn(db, {line.rrn for line in lines[at : at + _TOGETHER]}):
                if row not in known.setdefault(row.rrn, []):
                    known[row.rrn].append(row)
    strangers, rows = 0, [",".join(_HEAD)]
    for line in lines:
        found = [row for row in known.get(line.rrn, []) if line.day in (row.day, row.undo_day)]
        if len(found) != 1:
            strangers += 1
        reference = found[0].uid if len(found) == 1 else line.rrn
        rows.append(",".join((reference, money.text(line.amount), money.text(line.fee), line.day)))
    try:
        private_files.write(target, "".join(f"{row}\r\n" for row in rows).encode())
    except OSError as error:
        raise OperatorError(f"{target}: {error.strerror}") from None
    return len(lines), strangers


def read(form: Report, path: Path) -> Iterator[Line]:
    """The lines of an acquirer's file. Raises OperatorError at the first that cannot be understood."""
    number = 1
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = csv.DictReader(file, delimiter=form.separator, strict=True)
            wanted = (form.reference, form.amount, form.day)
            if missing := [name for name in wanted if name not in (rows.fieldnames or ())]:
                raise OperatorError(f"{path.name}: the head has no column {missing[0]}")
            for row in rows:
                number = rows.line_num
                day = datetime.datetime.strptime(str(row[form.day]), form.day_form).date()
                amount = _amount(form, str(row[form.amount]))
                rrn = str(row[form.reference]).strip()
                if len(rrn) != 12 or not rrn.isdecimal():
                    raise ValueError("a reference number has 12 digits")
                yield Line(rrn, amount, _amount(form, str(row.get(form.fee) or "0")), f"{day}")
    except ValueError as error:
        raise OperatorError(f"{path.name}, line {number}: {error}") from None
    except (OSError, csv.Error) as error:
        raise OperatorError(f"{path.name} is not a CSV file: {error}") from None


def _amount(form: Report, text: str) -> int:
    """Minor units. Raises ValueError."""
    return int(text) if form.minor else money.parse(text)
