# SPDX-License-Identifier: MIT
"""Payments that refer to an original: by its uid (void, tip, adjustment) or by data from its slip (refund, completion).

Each one cancels, replaces or completes its original, once and within its amount.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from tools.host.errors import SealError
from tools.host.keys import seal
from tools.host.outside.issuer import Decision, Payment
from tools.host.store import numbers
from tools.host.store.schema import payment, terminal
from tools.host.store.sums import total
from tools.host.transactions import restore
from tools.host.transactions.request_context import RequestContext
from tools.host.wire import answers, kinds

_UID, _REFERENCE, _AUTH_CODE = "DF02", "DF04", "89"  # in the sealed body; 89 is EMV's, DF02 and DF04 are ours
_OPEN_OR_APPROVED = ("RECEIVED", "APPROVED")
_VOIDS = (kinds.VOID, kinds.COMPLETION_VOID)
_MAY_NAME = {
    kinds.VOID: (kinds.SALE, kinds.VOICE_SALE),
    kinds.COMPLETION_VOID: (kinds.COMPLETION, kinds.COMPLETION_ADVICE),
    kinds.TIP: (kinds.SALE,),
    kinds.ADJUST: (kinds.VOICE_SALE,),
}
_REFUNDABLE = (kinds.SALE, kinds.VOICE_SALE, kinds.COMPLETION, kinds.COMPLETION_ADVICE)
NAMING = frozenset(_MAY_NAME)  # kinds that name a payment of the open batch by its uid
_CODES = (kinds.QR_SCANNED, kinds.QR_SHOWN)
_PATIENCE = datetime.timedelta(days=1)  # for another terminal, after the host fell behind
_COMPLETES_OR_CANCELS = (kinds.COMPLETION, kinds.COMPLETION_ADVICE, kinds.PREAUTH_CANCEL)
TIP_PERCENT = 20  # of the sale, at most
COMPLETION_PERCENT = 115  # of the pre-authorised amount, at most (UnionPay's rule)
REFUND_CAP = 1_000_000  # limit for refunds without a reference, all of a terminal's in a day together, minor units
_DAY_S = 86400

Noted = dict[str, Any]  # columns of the payment's row that are to be stored with it


def decide_named(request: RequestContext, record: seal.Record, noted: Noted) -> Decision:
    """Decide a payment that names another one of the open batch. Notes the link to it."""
    try:
        row = _of_same_terminal(request, record, _open_body(request, record).get(_UID, b""))
    except (SealError, ValueError):
        return Decision(answers.FORMAT_ERROR, text="Record damaged")
    if row is None or row.type not in _MAY_NAME[record.type] or row.batch + row.stan != request.message.fields["61"]:
        return Decision(answers.NOT_FOUND, text="No such payment")
    if row.state != "APPROVED" or row.settled_in != record.batch:
        return Decision(answers.INVALID, text="Not approved in this batch")
    me = record.uid.hex()
    if _related(request.db, row, me, *_VOIDS):
        return Decision(answers.INVALID, text="Voided already")
    if _related(request.db, row, me, kinds.REFUND):
        return Decision(answers.INVALID, text="Refunded already, or a part of it")
    changes = _related(request.db, row, me, kinds.TIP, kinds.ADJUST)
    if record.type in _VOIDS:
        wanted = changes[-1].amount if changes else row.amount
        if record.amount != wanted:
            return Decision(answers.WRONG_AMOUNT, text="Amounts differ")
    elif changes:
        return Decision(answers.INVALID, text="Changed already")
    elif record.type == kinds.TIP and not row.amount <= record.amount <= row.amount * (100 + TIP_PERCENT) // 100:
        return Decision(answers.OVER_LIMIT, text="Tip too large")
    _note(noted, row)
    noted["worth"] = kinds.worth(record.type, record.amount, row.amount)
    return Decision(answers.APPROVED)


def paid_code(
    request: RequestContext, record: seal.Record, noted: Noted, tags: Mapping[str, bytes]
) -> tuple[str, bytes] | Decision:
    """Terminal and uid of the code payment that a refund is about, wholly or partly, or the refusal. Notes the link."""
    if _UID in tags:
        row = _of_same_terminal(request, record, tags[_UID])
    else:
        row = _by_reference(request, tags)
    named = request.message.fields.get("61", "")
    if row is None or row.type not in _CODES or named != (row.batch + row.stan if _UID in tags else ""):
        return Decision(answers.NOT_FOUND, text="No such payment by code")
    if row.state != "APPROVED":
        return Decision(answers.INVALID, text="It was not paid")
    if _remaining(request.db, row, record.uid.hex(), kinds.QR_REFUND) < record.amount:
        return Decision(answers.OVER_LIMIT, text="More than was paid")
    _note(noted, row)
    return row.tid, bytes.fromhex(row.uid)


def note_cash(request: RequestContext, record: seal.Record, noted: Noted) -> None:
    """Note which cash sale a refund gives back, if it names one.

    The cash has already left the drawer, so the refund is booked in any case; an invalid one raises an alarm.
    """
    try:
        uid = _open_body(request, record).get(_UID)
    except (SealError, ValueError):
        uid = b""
    if uid is None:
        return
    row = _of_same_terminal(request, record, uid)
    if (
        row is None
        or (row.type, row.state) != (kinds.CASH, "APPROVED")
        or _remaining(request.db, row, record.uid.hex(), kinds.CASH_REFUND) < record.amount
    ):
        request.alarm("cash given back that was not taken")
    else:
        _note(noted, row)


def awaits(request: RequestContext, record: seal.Record) -> bool:
    """Whether a record that comes back in a restore is about a payment which another terminal of the shop may bring.

    It has not been heard since the host fell behind, or still sends what it holds; but not for longer than a day.
    """
    behind = restore.current(request.db, request.tid)
    if behind is None or record.type not in (kinds.REFUND, kinds.QR_REFUND, *_COMPLETES_OR_CANCELS):
        return False
    try:
        tags = _open_body(request, record)
    except SealError:
        return False
    if _REFERENCE in tags:
        here = payment.c.rrn == tags[_REFERENCE].hex()
    elif _AUTH_CODE in tags:
        here = payment.c.auth_code == tags[_AUTH_CODE].decode("ascii", "replace")
    else:
        return False
    mine = select(payment.c.uid).where(here, payment.c.mid == request.terminal.mid)
    if request.db.execute(mine.limit(1)).first() is not None:
        return False
    begun = datetime.datetime.fromisoformat(behind.at)
    if datetime.datetime.now(datetime.UTC) - begun > _PATIENCE:
        return False
    others = select(terminal.c.tid, terminal.c.heard).where(
        terminal.c.mid == request.terminal.mid, terminal.c.tid != request.tid
    )
    return any(
        row.heard is None or row.heard < behind.at or restore.current(request.db, row.tid) is not None
        for row in request.db.execute(others)
    )


def is_named(db: Connection, row: Row[Any]) -> bool:
    """Whether another payment cancels, changes or completes this one, or still may. If so it cannot be undone."""
    return bool(_related(db, row, row.uid, *kinds.RECORDS))


def is_relied_on(db: Connection, row: Row[Any]) -> bool:
    """Whether something was done because this payment undid another one: it cannot be undone any more.

    A void of a completion frees its pre-authorisation, which then may have been completed or cancelled again.
    """
    if row.type not in _VOIDS or row.original is None:
        return False
    undone = _one(db, row.original_tid, row.original, lock=False)
    if undone is None or undone.type not in _COMPLETES_OR_CANCELS or undone.original is None:
        return False
    freed = _one(db, undone.original_tid, undone.original)  # locked: nobody uses it again meanwhile
    return freed is not None and bool(_related(db, freed, undone.uid, *_COMPLETES_OR_CANCELS))


def match_original(request: RequestContext, ask: Payment, noted: Noted) -> Decision | None:
    """Find the original of a refund, completion or cancel, and note the link; or the reason to refuse it.

    None: there is nothing against it. The card is not proven yet: that is the issuer's, who is asked after this.
    """
    if ask.type == kinds.REFUND:
        return _refund(request, ask, noted)
    if ask.type in _COMPLETES_OR_CANCELS:
        return _complete_or_cancel(request, ask, noted)
    return None


def _refund(request: RequestContext, ask: Payment, noted: Noted) -> Decision | None:
    db, me = request.db, ask.uid.hex()
    if _REFERENCE not in ask.tags:
        over = _unreferenced(request, me) + ask.amount > REFUND_CAP
        return Decision(answers.OVER_LIMIT, text="Too much without its reference") if over else None
    row = _by_reference(request, ask.tags, payment.c.pan_token == ask.card, *_approved(_REFUNDABLE))
    if row is None:
        return Decision(answers.NOT_FOUND, text="No such payment of this card")
    if _related(db, row, me, *_VOIDS):
        return Decision(answers.INVALID, text="It was voided")
    changes = _related(db, row, me, kinds.TIP, kinds.ADJUST)
    added = changes[-1].amount - row.amount if changes else 0
    if _remaining(db, row, me, kinds.REFUND) + added < ask.amount:
        return Decision(answers.OVER_LIMIT, text="More than was paid")
    _note(noted, row)
    return None


def _unreferenced(request: RequestContext, me: str) -> int:
    """The sum of a terminal's other refunds without a reference, of the last 24 hours."""
    mine = (
        payment.c.tid == request.tid,
        payment.c.number >= numbers.before(_DAY_S),
        payment.c.type == kinds.REFUND,
        payment.c.original.is_(None),
        payment.c.state.in_(_OPEN_OR_APPROVED),
        payment.c.uid != me,
    )
    return request.db.execute(select(total(payment.c.amount)).where(*mine)).scalar_one()


def _complete_or_cancel(request: RequestContext, ask: Payment, noted: Noted) -> Decision | None:
    row = _by_auth_code(request, ask.tags, ask.card)
    if row is None:
        return Decision(answers.NOT_FOUND, text="No such pre-authorisation")
    if _related(request.db, row, ask.uid.hex(), *_COMPLETES_OR_CANCELS):
        return Decision(answers.INVALID, text="Completed or cancelled already")
    if ask.type == kinds.PREAUTH_CANCEL and ask.amount != row.amount:
        return Decision(answers.WRONG_AMOUNT, text="Amounts differ")
    if ask.amount > row.amount * COMPLETION_PERCENT // 100:
        return Decision(answers.OVER_LIMIT, text="More than was pre-authorised")
    _note(noted, row)
    return None


def _open_body(request: RequestContext, record: seal.Record) -> dict[str, bytes]:
    return seal.open_body(record, request.keys, request.key_of(record))


def _of_same_terminal(request: RequestContext, record: seal.Record, uid: bytes) -> Row[Any] | None:
    """The same terminal's payment with this uid, in the record's epoch."""
    row = _one(request.db, request.tid, uid.hex())
    return row if row is not None and row.epoch == record.epoch else None


def _one(db: Connection, tid: str, uid: str, lock: bool = True) -> Row[Any] | None:
    """A payment. `lock`: nobody else may decide about it until this transaction ends."""
    mine = select(payment).where(payment.c.tid == tid, payment.c.uid == uid)
    return db.execute(mine.with_for_update() if lock else mine).one_or_none()


def _by_reference(request: RequestContext, tags: Mapping[str, bytes], *where: ColumnElement[bool]) -> Row[Any] | None:
    return _newest_match(request, payment.c.rrn == tags.get(_REFERENCE, b"").hex(), *where)


def _by_auth_code(request: RequestContext, tags: Mapping[str, bytes], card: str) -> Row[Any] | None:
    code = tags.get(_AUTH_CODE, b"").decode("ascii", "replace")
    return _newest_match(
        request, payment.c.auth_code == code, payment.c.pan_token == card, *_approved((kinds.PREAUTH,))
    )


def _approved(types: tuple[str, ...]) -> tuple[ColumnElement[bool], ...]:
    return payment.c.type.in_(types), payment.c.state == "APPROVED"


def _newest_match(request: RequestContext, *where: ColumnElement[bool]) -> Row[Any] | None:
    """The newest matching payment of the same merchant, locked."""
    mine = select(payment).where(payment.c.mid == request.terminal.mid, *where)
    return request.db.execute(mine.order_by(payment.c.number.desc()).limit(1).with_for_update()).one_or_none()


def _remaining(db: Connection, row: Row[Any], me: str, kind: str) -> int:
    """The part of a payment that approved or open payments of this kind have not given back."""
    return row.amount - sum(other.amount for other in _related(db, row, me, kind))


def _related(db: Connection, row: Row[Any], me: str, *types: str) -> list[Row[Any]]:
    """Other payments that refer to the original `row` and are approved or open. `me`: uid of the one that asks.

    Leaves out completions that were voided: they free their original.
    """
    alive = (
        payment.c.original_tid == row.tid,
        payment.c.original == row.uid,
        payment.c.state.in_(_OPEN_OR_APPROVED),
        payment.c.uid != me,
        payment.c.type.in_(types),
    )
    rows = db.execute(select(payment).where(*alive).order_by(payment.c.number)).all()
    return [one for one in rows if one.type not in _COMPLETES_OR_CANCELS or not _is_voided(db, one)]


def _is_voided(db: Connection, row: Row[Any]) -> bool:
    void = (
        payment.c.original_tid == row.tid,
        payment.c.original == row.uid,
        payment.c.state == "APPROVED",
        payment.c.type.in_(_VOIDS),
    )
    return bool(db.execute(select(func.count()).select_from(payment).where(*void)).scalar_one())


def _note(noted: Noted, row: Row[Any]) -> None:
    noted["original_tid"], noted["original"] = row.tid, row.uid
