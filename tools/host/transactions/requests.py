# SPDX-License-Identifier: MIT
"""The request in which a terminal sent a record, or would send it: for records that come by another way.

So a record that is uploaded or handed in passes the checks of an online payment, issuer or wallet see a repeat of the
same request, and what the terminal sends itself is recognised.
"""

from sqlalchemy import Connection, Row, select

from tools.host.errors import FrameError, SealError
from tools.host.keys import seal
from tools.host.keys.key_store import KeyStore
from tools.host.keys.seal import Record
from tools.host.store.schema import payment
from tools.host.transactions import idempotency
from tools.host.transactions.terminals import Terminal
from tools.host.wire import as_sent
from tools.host.wire.message import Message

_UID = "DF02"  # tag in the sealed body: uid of the payment that it names


def by_sequence(db: Connection, tid: str, record: Record, sequence: int) -> Row | None:
    """The terminal's payment with a sequence, in the record's epoch if there is one."""
    mine = payment.c.tid == tid, payment.c.sequence == sequence
    rows = db.execute(select(payment).where(*mine).order_by(payment.c.epoch != record.epoch)).all()
    return rows[0] if rows else None


def named(db: Connection, terminal: Terminal, record: Record, keys: KeyStore) -> str:
    """DE 61 of the request: batch and STAN of the payment that the record names; "" if it names none known here."""
    row = None
    if back := int.from_bytes(record.raw[54:56], "big"):
        row = by_sequence(db, terminal.tid, record, record.sequence - back)
    else:
        try:
            ikid = seal.sealed_under(record, keys, terminal.ikids)
            uid = seal.open_body(record, keys, ikid).get(_UID, b"")
        except SealError:
            uid = b""
        if uid:
            mine = payment.c.tid == terminal.tid, payment.c.uid == uid.hex()
            row = db.execute(select(payment).where(*mine)).one_or_none()
    return row.batch + row.stan if row is not None else ""


def received(db: Connection, terminal: Terminal, record: Record, original: str, *types: str) -> Message | None:
    """The request in which a record came, if its 60.1 is one of `types` (none = any). `original`: its DE 61."""
    for kind in types or (as_sent.queued_type(record), record.type):
        try:
            message = as_sent.message(terminal, record, kind, original)
        except FrameError:
            continue
        verdict = idempotency.look(db, message, record.epoch)
        if verdict.seen and verdict.clash is None:
            return message
    return None


def of(db: Connection, terminal: Terminal, record: Record, keys: KeyStore) -> Message:
    """The request of a record: the one in which it came, or else the one in which it would.

    Raises FrameError if no request carries such a record, or if it must name a payment and that one is not here.
    """
    original = named(db, terminal, record, keys)
    known = received(db, terminal, record, original)
    if known is not None:
        return known
    kind = as_sent.queued_type(record) if record.kind == seal.ACCEPTED else record.type
    return as_sent.message(terminal, record, kind, original)
