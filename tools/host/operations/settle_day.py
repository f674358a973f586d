# SPDX-License-Identifier: MIT
"""Settles a day for all merchants, and writes the files. Doing it again changes nothing and writes the same files."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Row

from tools.host.books import payment_file, settlement, settlement_csv
from tools.host.errors import OperatorError, StateError
from tools.host.store import numbers
from tools.host.store.ledger import Ledger


class Done(NamedTuple):
    """What was done: all settlements of the day, how many are new, the files, and what a person has to see to."""

    rows: list[Row[Any]]
    new: int
    files: list[Path]
    trouble: list[str]


def run(ledger: Ledger, day: str, folder: Path, payer: payment_file.Payer | None) -> Done:
    """Settle a day (YYYY-MM-DD). `payer`: None writes no payment file."""
    number, new, trouble = numbers.new(), 0, []
    with ledger.read() as db:
        mids = settlement.open_mids(db, day)
    for mid in mids:
        try:
            with ledger.write() as db:
                new += settlement.make(db, mid, day, number)
        except OperatorError as error:
            trouble.append(str(error))
    with ledger.read() as db:
        rows = list(settlement.of_day(db, day))
    folder.mkdir(parents=True, exist_ok=True)
    files = [_csv(ledger, row, folder) for row in rows]
    if payer is not None:
        files += _payouts(rows, folder, payer)
    elif any(row.net > 0 for row in rows):
        trouble.append("no payment file: [payer] is missing in the host's settings")
    return Done(rows, new, files, trouble)


def _csv(ledger: Ledger, row: Row[Any], folder: Path) -> Path:
    path = folder / settlement_csv.name(row)
    with _replacing(path) as temporary, open(temporary, "w", encoding=settlement_csv.ENCODING, newline="") as file:
        with ledger.read() as db:
            total = settlement_csv.write(db, row, file)
    try:
        settlement_csv.check(row, total)
    except StateError:
        path.unlink(missing_ok=True)
        raise
    return path


def _payouts(rows: list[Row[Any]], folder: Path, payer: payment_file.Payer) -> Iterator[Path]:
    """One file for each run and currency, so that a merchant who is settled later does not repeat the others."""
    for together in payment_file.groups(rows):
        path = folder / payment_file.name(together)
        content = payment_file.xml(payer, together)
        with _replacing(path) as temporary:
            temporary.write_text(content, encoding="utf-8")
        yield path


class _replacing:
    """A temporary file that takes the place of `path` if all goes well, so that no half file is ever there."""

    def __init__(self, path: Path) -> None:
        self._path, self._temporary = path, path.with_name(f".{path.name}.{secrets.token_hex(4)}")

    def __enter__(self) -> Path:
        return self._temporary

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            os.replace(self._temporary, self._path)
        else:
            self._temporary.unlink(missing_ok=True)
