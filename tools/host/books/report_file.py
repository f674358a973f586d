# SPDX-License-Identifier: MIT
"""A file in which an acquirer or a wallet says what it paid: CSV with a head, one line a payment.

Columns: reference (uid, 32 hex digits, or RRN, 12; others belong to no payment), amount (12.50; negative: taken back), day
(YYYY-MM-DD), and if wanted fee (what was kept of the amount). Commas or semicolons; other columns are not looked at.
"""

import csv
import datetime
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.host.books import money
from tools.host.errors import OperatorError

_REFERENCE = re.compile(r"[0-9a-z_|*@-]{1,64}")
_UID = re.compile(r"[0-9a-f]{32}")
_WANTED = ("reference", "amount", "day")
_BLOCK = 1 << 20


class Line(NamedTuple):
    """One line. `amount` and `fee` in minor units."""

    number: int
    reference: str
    amount: int
    fee: int
    day: str

    @property
    def is_uid(self) -> bool:
        return _UID.fullmatch(self.reference) is not None


def digest(path: Path) -> str:
    """SHA-256 of a file, in hex. Raises OperatorError."""
    found = hashlib.sha256()
    try:
        with open(path, "rb") as file:
            while block := file.read(_BLOCK):
                found.update(block)
    except OSError as error:
        raise OperatorError(f"{path}: {error}") from None
    return found.hexdigest()


def read(path: Path) -> Iterator[Line]:
    """The lines, counted from 2, as a spreadsheet does. Raises OperatorError at the first that cannot be understood."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            rows = csv.DictReader(file, delimiter=";" if first.count(";") > first.count(",") else ",", strict=True)
            names = [(name or "").strip().lower() for name in rows.fieldnames or ()]
            if missing := [name for name in _WANTED if name not in names]:
                raise OperatorError(f"{path.name}: the head has no column {missing[0]}")
            rows.fieldnames = names
            for row in rows:
                yield _line(path.name, rows.line_num, {name: str(value or "").strip() for name, value in row.items()})
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise OperatorError(f"{path.name} is not a CSV file: {error}") from None


def _line(name: str, number: int, row: dict[str, str]) -> Line:
    reference = row["reference"].lower()
    if not _REFERENCE.fullmatch(reference):
        raise OperatorError(f"{name}, line {number}: {reference[:40]!r} is no reference")
    try:
        amount, fee = money.parse(row["amount"]), money.parse(row.get("fee") or "0")
        return Line(number, reference, amount, fee, f"{datetime.date.fromisoformat(row['day'])}")
    except ValueError as error:
        raise OperatorError(f"{name}, line {number}: {error}") from None
