# SPDX-License-Identifier: MIT
"""The merchants: who they are, where their money goes, and what they pay for it."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from tools.host.books.double_entry import note, now
from tools.host.errors import OperatorError
from tools.host.store.schema_books import merchant as table

_MID = re.compile(r"[0-9A-Za-z ]{15}")
_ACCOUNT = re.compile(r"[0-9A-Z]{4,34}")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[0-9A-Z]{11,30}")
_BIC = re.compile(r"[A-Z]{6}[0-9A-Z]{2}(?:[0-9A-Z]{3})?")  # ISO 9362
_CURRENCY = re.compile(r"[A-Z]{3}")
_LONGEST = 70  # characters of a name in pain.001


def add(db: Connection, mid: str, by: str, **values: Any) -> None:
    """Add a merchant: name, account, bic, fee (basis points), currency. Raises OperatorError."""
    if not _MID.fullmatch(mid):
        raise OperatorError(f"{mid!r}: a merchant id has 15 characters")
    if find(db, mid) is not None:
        raise OperatorError(f"{mid} is there already: change it")
    row = _checked(values)
    db.execute(insert(table).values(mid=mid, at=now(), **row))
    note(db, None, "merchant added", f"{mid} by {_name(by)}: {_words(row)}")


def change(db: Connection, mid: str, by: str, **values: Any) -> None:
    """Change some of a merchant's values. What was settled before stays as it was. Raises OperatorError."""
    lock(db, mid)
    row = _checked(values)
    if not row:
        raise OperatorError("nothing to change")
    db.execute(update(table).where(table.c.mid == mid).values(**row))
    note(db, None, "merchant changed", f"{mid} by {_name(by)}: {_words(row)}")


def find(db: Connection, mid: str) -> Row[Any] | None:
    """A merchant's row, or None."""
    return db.execute(select(table).where(table.c.mid == mid)).one_or_none()


def lock(db: Connection, mid: str) -> Row[Any]:
    """A merchant's row, locked: one transaction at a time settles. Raises OperatorError if there is none."""
    row = db.execute(select(table).where(table.c.mid == mid).with_for_update()).one_or_none()
    if row is None:
        raise OperatorError(f"merchant {mid} is not known: add it with kassa-host merchants add")
    return row


def every(db: Connection) -> Sequence[Row[Any]]:
    """All merchants, by id."""
    return db.execute(select(table).order_by(table.c.mid)).all()


def is_iban(account: str) -> bool:
    """Whether an account number is an IBAN with valid check digits (ISO 13616)."""
    if not _IBAN.fullmatch(account):
        return False
    return int("".join(str(int(char, 36)) for char in account[4:] + account[:4])) % 97 == 1


def check_account(account: str, bic: str) -> None:
    """Raises OperatorError if money cannot go to an account."""
    if not _ACCOUNT.fullmatch(account):
        raise OperatorError(f"{account!r} is no account number: 4 to 34 digits and capital letters")
    if account[:2].isalpha() and not is_iban(account):
        raise OperatorError(f"{account!r} is not an IBAN: its check digits are wrong")
    if not _BIC.fullmatch(bic):
        raise OperatorError(f"{bic!r} is not a BIC (8 or 11 characters)")


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    row = {name: value for name, value in values.items() if value is not None}
    for name in ("account", "bic"):
        if name in row:
            row[name] = str(row[name]).replace(" ", "").upper()
    check_account(row.get("account", "0000"), row.get("bic", "AAAAAA00"))
    if not 1 <= len(str(row.get("name", "-")).strip()) <= _LONGEST or not str(row.get("name", "-")).isprintable():
        raise OperatorError(f"a name has 1 to {_LONGEST} characters")
    if not 0 <= row.get("fee", 0) <= 10_000:
        raise OperatorError("the fee is 0 to 10000 basis points")
    if not _CURRENCY.fullmatch(row.get("currency", "CNY")):
        raise OperatorError("a currency is three capital letters")
    return row


def _name(by: str) -> str:
    if not by.strip() or len(by) > _LONGEST or not by.isprintable():
        raise OperatorError("say who does it (--by)")
    return by


def _words(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(row.items()))
