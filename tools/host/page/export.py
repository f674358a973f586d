# SPDX-License-Identifier: MIT
"""Payments as CSV, in parts, so that any number of them needs little memory."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row

from tools.host.books import money
from tools.host.page import words
from tools.host.page.queries import payments
from tools.host.page.words import Words

BOM = "\ufeff"  # so that spreadsheets read the file as UTF-8
_COLUMNS = (
    "time", "terminal", "merchant", "kind", "amount", "currency", "card", "state", "answer_code", "auth_code", "reference",
    "trace", "batch", "epoch", "sequence", "day", "uid",
)  # fmt: skip
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def header(say: Words) -> str:
    """The first line."""
    return _lines([[say(column) for column in _COLUMNS]])


def lines(say: Words, rows: Iterable[Row[Any]]) -> str:
    """One line for each payment. Amounts are decimal numbers, negative if they give money back."""
    return _lines(_line(say, row) for row in rows)


def differences(say: Words, rows: Iterable[Row[Any]]) -> str:
    """What does not agree with acquirers and wallets, one line each, with a head. Amounts as in `lines`."""
    head = [
        *map(say, ("difference_since", "merchant", "difference", "difference_source", "reference")),
        *map(
            say, ("difference_ours", "difference_theirs", "day", "terminal", "uid", "state", "explained_by", "reason")
        ),
    ]
    return BOM + _lines([head, *(_difference(say, row) for row in rows)])


def _difference(say: Words, row: Row[Any]) -> list[str]:
    return [
        words.time(row.at),
        row.mid,
        say(f"difference_{row.what}"),
        say(f"source_{row.source}"),
        row.reference,
        money.text(row.ours),
        money.text(row.theirs),
        row.day,
        row.tid or "",
        row.uid or "",
        say(f"difference_state_{row.state}"),
        row.by or "",
        row.why or row.detail,
    ]


def cell(value: str) -> str:
    """A value that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return f"'{value}" if value.startswith(_FORMULA) and not _NUMBER.fullmatch(value) else value


def _line(say: Words, row: Row[Any]) -> list[str]:
    amount = payments.signed(row)
    return [
        words.time(row.received),
        row.tid,
        row.mid,
        say.get(f"kind_{row.type}", row.type),
        f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02}",
        "CNY" if row.currency == "0156" else row.currency,
        f"{row.first6}******{row.last4}" if row.first6 != "000000" else "",
        say(f"state_{words.state(row).name}"),
        row.code or "",
        row.auth_code or "",
        row.rrn or "",
        row.stan,
        row.settled_in,
        str(row.epoch),
        str(row.sequence),
        row.day or "",
        row.uid,
    ]


def _lines(rows: Iterable[list[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()
