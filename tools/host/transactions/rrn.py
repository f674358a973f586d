# SPDX-License-Identifier: MIT
"""Retrieval reference numbers (DE 37): the day of the payment (YDDD), then eight digits derived from its uid.

If the host loses a payment and gets it back in a batch upload, it assigns the same number that is on the slip. No
number is assigned twice, not even after a backup was restored.
"""

import datetime
import hashlib
from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from tools.host.keys.seal import Record
from tools.host.store.schema import payment

_EPOCH = datetime.datetime(2000, 1, 1)
_TAKEN = select(payment.c.rrn).where(payment.c.rrn.in_(bindparam("numbers", expanding=True)))


def give(db: Connection, records: Sequence[Record]) -> list[str]:
    """A new number for each of these records, which have none yet."""
    best = [_number(record, 0) for record in records]
    taken = _taken(db, best)
    given: list[str] = []
    for record, number in zip(records, best, strict=True):
        attempt = 0
        while number in taken or number in given:
            attempt += 1
            number = _number(record, attempt)
            taken |= _taken(db, [number])
        given.append(number)
    return given


def _number(record: Record, attempt: int) -> str:
    day = f"{_EPOCH + datetime.timedelta(seconds=record.taken_at):%y%j}"[1:]
    return f"{day}{_digits(record.uid, attempt):08}"


def _digits(uid: bytes, attempt: int) -> int:
    return int.from_bytes(hashlib.sha256(uid + bytes((attempt,))).digest()) % 10**8


def _taken(db: Connection, numbers: Sequence[str]) -> set[str]:
    return set(db.execute(_TAKEN, {"numbers": numbers}).scalars()) if numbers else set()
