# SPDX-License-Identifier: MIT
"""Payments that refer to an original: by its uid (void, tip, adjustment) or by data from its slip (refund, completion).

Each one cancels, replaces or completes its original, once and within its amount.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from tools.host.errors import SealError
from tools.host.keys import seal
from tools.host.keys.card_number import pan_of
from tools.host.outside.issuer import Decision, Payment
from tools.host.store.schema import payment, terminal
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
_CODES = (kinds.QR_SCANNED, kinds.QR_SHOWN)
_COMPLETES_OR_CANCELS = (kinds.COMPLETION, kinds.COMPLETION_ADVICE, kinds.PREAUTH_CANCEL)
TIP_PERCENT = 20  # of the sale, at most
COMPLETION_PERCENT = 115  # of the pre-authorised amount, at most (UnionPay's rule)
REFUND_CAP = 1_000_000  # limit for a refund without a reference, minor units


def decide_named(request: RequestContext, record: seal.Record, number: int) -> Decision:
    """Decide the payment in row `number`, which names another one of the open batch. Stores the link to it."""
    try:
        row = _of_same_terminal(request, record, _open_body(request, record).get(_UID, b""))
    except (SealError, ValueError):
        return Decision(answers.FORMAT_ERROR, text="Record damaged")
    if row is None or row.type not in _MAY_NAME[record.type] or row.batch + row.stan != request.message.fields["61"]:
        return Decision(answers.NOT_FOUND, text="No such payment")
    if row.state != "APPROVED" or row.settled_in != record.batch:
        return Decision(answers.INVALID, text="Not approved in this batch")
    if _related(request.db, row.uid, number, *_VOIDS):
        return Decision(answers.INVALID, text="Voided already")
    if _related(request.db, row.uid, number, kinds.REFUND):
        return Decision(answers.INVALID, text="Refunded already, or a part of it")
    changes = _related(request.db, row.uid, number, kinds.TIP, kinds.ADJUST)
    if record.type in _VOIDS:
        wanted = changes[-1].amount if changes else row.amount
        if record.amount != wanted:
            return Decision(answers.WRONG_AMOUNT, text="Amounts differ")
    elif changes:
        return Decision(answers.INVALID, text="Changed already")
    elif record.type == kinds.TIP and not row.amount <= record.amount <= row.amount * (100 + TIP_PERCENT) // 100:
        return Decision(answers.OVER_LIMIT, text="Tip too large")
    _note(request.db, number, row.uid, kinds.worth(record.type, record.amount, row.amount))
    return Decision(answers.APPROVED)


def paid_code(request: RequestContext, record: seal.Record, number: int, tags: Mapping[str, bytes]) -> bytes | Decision:
    """The uid of the code payment that row `number` refunds, wholly or partly, or the refusal.

    Stores the link between the two.
    """
    if _UID in tags:
        row = _of_same_terminal(request, record, tags[_UID])
    else:
        row = _by_reference(request.db, number, tags)
    named = request.message.fields.get("61", "")
    if row is None or row.type not in _CODES or named != (row.batch + row.stan if _UID in tags else ""):
        return Decision(answers.NOT_FOUND, text="No such payment by code")
    if row.state != "APPROVED":
        return Decision(answers.INVALID, text="It was not paid")
    if _remaining(request.db, row, number, kinds.QR_REFUND) < record.amount:
        return Decision(answers.OVER_LIMIT, text="More than was paid")
    _note(request.db, number, row.uid)
    return bytes.fromhex(row.uid)


def note_cash(request: RequestContext, record: seal.Record, number: int) -> None:
    """Store which cash sale row `number` refunds, if it names one.

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
        or _remaining(request.db, row, number, kinds.CASH_REFUND) < record.amount
    ):
        request.alarm("cash given back that was not taken")
    else:
        _note(request.db, number, row.uid)


def link_uploaded(request: RequestContext, record: seal.Record, number: int) -> int:
    """Add card and original to row `number`, settled by a batch upload. Returns its net value, minor units.

    A refund may arrive before its original, which another terminal of the shop uploads later.
    """
    try:
        tags = _open_body(request, record)
        card = request.keys.token(pan_of(tags)) if kinds.KINDS[record.type].source == kinds.CARD else None
    except (SealError, ValueError):
        tags, card = {}, None  # keep the record: its seal tag is right
    row = None
    if _UID in tags:
        row = _of_same_terminal(request, record, tags[_UID])
    elif _REFERENCE in tags:
        row = _by_reference(request.db, number, tags, payment.c.pan_token.is_not_distinct_from(card))
    elif record.type in _COMPLETES_OR_CANCELS and card:
        row = _by_auth_code(request.db, number, tags, card)
    if row is None and (_UID in tags or _REFERENCE in tags):
        request.alarm("uploaded, and about a payment that is not here")
    worth = kinds.worth(record.type, record.amount, row.amount if row else record.amount)
    noted = {"pan_token": card, "original": row.uid if row else None, "worth": worth}
    if row is None and _REFERENCE in tags:
        noted["refers_to"] = tags[_REFERENCE].hex()
    mine = update(payment).where(payment.c.id == number).values(**noted).returning(payment.c.rrn)
    waiting = payment.c.refers_to == request.db.execute(mine).scalar_one()
    request.db.execute(update(payment).where(waiting).values(original=record.uid.hex(), refers_to=None))
    return worth


def is_named(db: Connection, row: Row[Any]) -> bool:
    """Whether another payment cancels, changes or completes this one, or still may. If so it cannot be undone."""
    return bool(_related(db, row.uid, row.id, *kinds.RECORDS))


def match_original(db: Connection, number: int, ask: Payment, decision: Decision) -> Decision:
    """The issuer's approval of row `number`, or a refusal if no original matches its card and slip data."""
    if ask.type == kinds.REFUND:
        return _refund(db, number, ask, decision)
    if ask.type in _COMPLETES_OR_CANCELS:
        return _complete_or_cancel(db, number, ask, decision)
    return decision


def _refund(db: Connection, number: int, ask: Payment, decision: Decision) -> Decision:
    if _REFERENCE not in ask.tags:
        over = ask.amount > REFUND_CAP
        return Decision(answers.OVER_LIMIT, text="Too much without its reference") if over else decision
    row = _by_reference(db, number, ask.tags, payment.c.pan_token == ask.card, *_approved(_REFUNDABLE))
    if row is None:
        return Decision(answers.NOT_FOUND, text="No such payment of this card")
    if _related(db, row.uid, number, *_VOIDS):
        return Decision(answers.INVALID, text="It was voided")
    changes = _related(db, row.uid, number, kinds.TIP, kinds.ADJUST)
    added = changes[-1].amount - row.amount if changes else 0
    if _remaining(db, row, number, kinds.REFUND) + added < ask.amount:
        return Decision(answers.OVER_LIMIT, text="More than was paid")
    _note(db, number, row.uid)
    return decision


def _complete_or_cancel(db: Connection, number: int, ask: Payment, decision: Decision) -> Decision:
    row = _by_auth_code(db, number, ask.tags, ask.card)
    if row is None:
        return Decision(answers.NOT_FOUND, text="No such pre-authorisation")
    if _related(db, row.uid, number, *_COMPLETES_OR_CANCELS):
        return Decision(answers.INVALID, text="Completed or cancelled already")
    if ask.type == kinds.PREAUTH_CANCEL and ask.amount != row.amount:
        return Decision(answers.WRONG_AMOUNT, text="Amounts differ")
    if ask.amount > row.amount * COMPLETION_PERCENT // 100:
        return Decision(answers.OVER_LIMIT, text="More than was pre-authorised")
    _note(db, number, row.uid)
    return decision


def _open_body(request: RequestContext, record: seal.Record) -> dict[str, bytes]:
    return seal.open_body(record, request.keys, request.key_of(record))


def _of_same_terminal(request: RequestContext, record: seal.Record, uid: bytes) -> Row[Any] | None:
    """The same terminal's payment with this uid, in the record's epoch."""
    mine = payment.c.tid == request.tid, payment.c.epoch == record.epoch, payment.c.uid == uid.hex()
    return request.db.execute(select(payment).where(*mine)).one_or_none()


def _by_reference(
    db: Connection, number: int, tags: Mapping[str, bytes], *where: ColumnElement[bool]
) -> Row[Any] | None:
    return _newest_match(db, number, payment.c.rrn == tags.get(_REFERENCE, b"").hex(), *where)


def _by_auth_code(db: Connection, number: int, tags: Mapping[str, bytes], card: str) -> Row[Any] | None:
    code = tags.get(_AUTH_CODE, b"").decode("ascii", "replace")
    return _newest_match(
        db, number, payment.c.auth_code == code, payment.c.pan_token == card, *_approved((kinds.PREAUTH,))
    )


def _approved(types: tuple[str, ...]) -> tuple[ColumnElement[bool], ...]:
    return payment.c.type.in_(types), payment.c.state == "APPROVED"


def _newest_match(db: Connection, number: int, *where: ColumnElement[bool]) -> Row[Any] | None:
    """The newest matching payment of the same merchant."""
    me = select(payment.c.tid).where(payment.c.id == number).scalar_subquery()
    mid = select(terminal.c.mid).where(terminal.c.tid == me).scalar_subquery()
    shop = payment.c.tid.in_(select(terminal.c.tid).where(terminal.c.mid == mid))
    return db.execute(select(payment).where(shop, *where).order_by(payment.c.id.desc()).limit(1)).one_or_none()


def _remaining(db: Connection, row: Row[Any], number: int, kind: str) -> int:
    """The part of a payment that approved or open payments of this kind have not given back."""
    return row.amount - sum(other.amount for other in _related(db, row.uid, number, kind))


def _related(db: Connection, uid: str, number: int, *types: str) -> list[Row[Any]]:
    """Other payments that refer to the same original and are approved or open.

    Leaves out completions that were voided: they free their original.
    """
    alive = (
        payment.c.original == uid,
        payment.c.state.in_(_OPEN_OR_APPROVED),
        payment.c.id != number,
        payment.c.type.in_(types),
    )
    rows = db.execute(select(payment).where(*alive).order_by(payment.c.id)).all()
    undone = select(func.count()).select_from(payment)
    return [
        row
        for row in rows
        if row.type not in _COMPLETES_OR_CANCELS
        or not db.execute(
            undone.where(payment.c.original == row.uid, payment.c.state == "APPROVED", payment.c.type.in_(_VOIDS))
        ).scalar_one()
    ]


def _note(db: Connection, number: int, uid: str, worth: int | None = None) -> None:
    values: dict[str, Any] = {"original": uid} | ({} if worth is None else {"worth": worth})
    db.execute(update(payment).where(payment.c.id == number).values(**values))
