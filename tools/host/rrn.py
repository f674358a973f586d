# SPDX-License-Identifier: MIT
"""Retrieval reference numbers (DE 37): the day a payment was taken (YDDD), then eight digits that its uid gives.

So a host that has lost a payment, and takes it in from a batch upload, gives it the number that stands on its slip; and
no number comes a second time, also not after a backup was restored.
"""

import datetime
import hashlib
import itertools
from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, select

from tools.host.schema import payment
from tools.host.seal import Record

_EPOCH = datetime.datetime(2000, 1, 1)
_TAKEN = select(payment.c.rrn).where(payment.c.rrn == bindparam("rrn"))


def give(db: Connection, records: Iterable[Record]) -> list[str]:
    """A number for each of these records, which have none yet."""
    given: list[str] = []
    for record in records:
        given.append(next(number for number in _numbers(record) if number not in given and not _known(db, number)))
    return given


def _numbers(record: Record) -> Iterable[str]:
    """What it may be called, best first."""
    day = f"{_EPOCH + datetime.timedelta(seconds=record.taken_at):%y%j}"[1:]
    for attempt in itertools.count():
        yield f"{day}{_digits(record.uid, attempt):08}"


def _digits(uid: bytes, attempt: int) -> int:
    return int.from_bytes(hashlib.sha256(uid + bytes((attempt,))).digest()) % 10**8


def _known(db: Connection, number: str) -> bool:
    return db.execute(_TAKEN, {"rrn": number}).first() is not None
