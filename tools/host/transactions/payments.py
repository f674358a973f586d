# SPDX-License-Identifier: MIT
"""Every payment: received, decided, answered. The issuer or wallet is asked between two transactions.

The sealed body is opened in memory and never stored: only header, tags and hash are kept.
"""

import dataclasses
import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select, update

from tools.host.books import double_entry
from tools.host.errors import SealError
from tools.host.keys import seal
from tools.host.keys.card_number import pan_of
from tools.host.outside.issuer import Decision, Payment
from tools.host.outside.wallet import Order, Return
from tools.host.store.schema import payment as table
from tools.host.transactions import chain, idempotency, originals, record_checks, rrn
from tools.host.transactions.request_context import RequestContext
from tools.host.wire import answers, kinds
from tools.host.wire.answers import Answer
from tools.host.wire.message import Message

_CODE = "DF03"  # tag in the sealed body: the customer's code
_CURRENCY = {"0156": "156"}
_INSERT = insert(table).returning(table.c.id)
_ONE = select(table).where(table.c.tid == bindparam("tid"), table.c.uid == bindparam("uid"))
_FINISH = update(table).where(table.c.id == bindparam("which"))


@dataclass(frozen=True, slots=True)
class Booked:
    """A stored payment that waits for a decision. `ask`: the request to the issuer or wallet."""

    message: Message
    record: seal.Record
    id: int
    quarantined: bool
    ask: Payment | Order | Return | None = None

    @property
    def type(self) -> str:
        """60.1 of the record. The message of an offline payment has a different one."""
        return self.record.type

    @property
    def amount(self) -> int:
        return self.record.amount


def receive(request: RequestContext) -> Answer | Booked:
    """First transaction: store a new payment. Returns the answer, or the payment if the issuer must be asked."""
    message, record = request.message, request.message.record
    if record is None or record.uid != message.uid:
        request.alarm("unreadable record")
        return request.answer(answers.FORMAT_ERROR, "Record damaged")
    verdict = idempotency.look(request.db, message, record.epoch)
    if verdict.clash == "uid":
        request.alarm("same uid, other content")
        had_it = verdict.answer is not None and verdict.answer["39"] in answers.YES
        return request.answer(answers.DUPLICATE if had_it else answers.FORMAT_ERROR, "Differs from the first one")
    if verdict.answer is not None:
        return verdict.answer
    if verdict.seen:
        return _repeated(request, record)
    return _store(request, record, verdict.clash == "stan")


def settle(db: Connection, now: datetime.datetime, decided: Sequence[tuple[Booked, Decision]]) -> list[Answer]:
    """Second transaction: store answers, entries and verified card counters together. Returns the answers, in order."""
    replies: list[Answer] = []
    rows, legs, final = [], [], []
    held = _still_held(db, [booked.id for booked, _ in decided if booked.quarantined])
    ended = [booked for booked, decision in decided if decision.code not in answers.NOT_FINAL]
    numbers = dict(zip([booked.id for booked in ended], rrn.give(db, [booked.record for booked in ended]), strict=True))
    for booked, decision in decided:
        if isinstance(booked.ask, Payment) and decision.code in answers.YES:
            decision = originals.match_original(db, booked.id, booked.ask, decision)
        message, yes = booked.message, decision.code in answers.YES
        if decision.code in answers.NOT_FINAL:
            more = {"_62": decision.shown.hex().upper()} if decision.shown else {}
            replies.append(answers.compose(message, now, decision.text, _39=decision.code, **more))
            continue
        auth_code = decision.auth_code if yes else None
        elements = {"_37": numbers[booked.id], "_39": decision.code} | ({"_38": auth_code} if auth_code else {})
        if yes and decision.balance is not None:
            elements["_54"] = (
                f"1002156{'C' if decision.balance >= 0 else 'D'}{abs(decision.balance):012}".encode().hex()
            )
        answer = answers.compose(message, now, decision.text, **elements)
        rows.append(
            {
                "which": booked.id,
                "state": "APPROVED" if yes else "DECLINED",
                "code": decision.code,
                "auth_code": auth_code,
                "rrn": numbers[booked.id],
                "text": decision.text,
                "pan_token": booked.ask.card if isinstance(booked.ask, Payment) else None,
                "atc": decision.atc,
                "answered": double_entry.now(),
            }
        )
        if yes:
            legs += double_entry.legs(booked.id, booked.type, _worth(db, booked), booked.id in held)
        final.append((message, answer))
        replies.append(answer)
    if rows:
        db.execute(_FINISH, rows)
    double_entry.post(db, legs)
    idempotency.close(db, final)
    return replies


def _worth(db: Connection, booked: Booked) -> int:
    """The net value of an approved payment to the merchant. An adjustment's was stored with its original."""
    if kinds.KINDS[booked.type].effect != kinds.REPLACES:
        return kinds.worth(booked.type, booked.amount)
    return db.execute(select(table.c.worth).where(table.c.id == booked.id)).scalar_one()


def _still_held(db: Connection, ids: list[int]) -> set[int]:
    """The ids of payments still in quarantine: a supervisor may have released some while the issuer was asked."""
    if not ids:
        return set()
    return set(db.execute(select(table.c.id).where(table.c.id.in_(ids), table.c.quarantined == 1)).scalars())


def _store(request: RequestContext, record: seal.Record, stan_used: bool) -> Answer | Booked:
    """Store a new request: its chain link, its message, its payment."""
    db, message = request.db, request.message
    known = record_checks.look(request, record)
    void = message.type == kinds.VOID_ENTRY
    if known.has_tombstone or void:
        if not known.has_tombstone:
            record_checks.note_record(request, record, chain.VOID, known)
        code, text = (answers.INVALID, "Cancelled before it came") if known.has_tombstone else (answers.APPROVED, "")
        answer = request.answer(code, text)
        idempotency.open_(db, message, record.epoch, answer)
        return answer
    intact = record_checks.note_record(request, record, chain.PAYMENT, known)
    idempotency.open_(db, message, record.epoch)
    booked = _insert(request, record, record_checks.settlement_batch(request, record, known))
    if refusal := _refusal(message, record, intact, stan_used and not booked.quarantined):
        request.alarm(refusal.text)
        return settle(db, request.now, [(booked, refusal)])[0]
    return _ask(request, record, booked)


def _repeated(request: RequestContext, record: seal.Record) -> Answer | Booked:
    """Received before, but not answered: still at the issuer, interrupted by a crash, or reversed since."""
    if request.message.key in request.busy:
        return request.answer(answers.IN_PROGRESS)
    row = request.db.execute(_ONE, {"tid": request.tid, "uid": record.uid.hex()}).one()
    if row.state in ("REVERSED", "APPROVED"):  # since then, by a reversal or a batch upload
        paid = row.state == "APPROVED"
        number = {"_37": row.rrn} if row.rrn else {}
        answer = request.answer(answers.APPROVED, **number) if paid else request.answer(answers.INVALID, "Cancelled")
        idempotency.close(request.db, [(request.message, answer)])
        return answer
    booked = Booked(request.message, record, row.id, bool(row.quarantined))
    return _ask(request, record, booked)


def _ask(request: RequestContext, record: seal.Record, booked: Booked) -> Answer | Booked:
    """Open the body and prepare the request to the issuer or wallet.

    Cash needs neither, and the host itself decides payments that name another one: these are answered at once.
    """
    source = kinds.KINDS[booked.type].source
    if source == kinds.NAMED:
        return settle(request.db, request.now, [(booked, originals.decide_named(request, record, booked.id))])[0]
    if source == kinds.NO_SOURCE:
        return settle(request.db, request.now, [(booked, Decision(answers.APPROVED))])[0]
    if source == kinds.PAID_CASH:
        originals.note_cash(request, record, booked.id)
        return settle(request.db, request.now, [(booked, Decision(answers.APPROVED))])[0]
    try:
        tags = seal.open_body(record, request.keys, request.key_of(record))
        ask: Payment | Order | Return
        if source == kinds.PAID_CODE:
            paid = originals.paid_code(request, record, booked.id, tags)
            if isinstance(paid, Decision):
                return settle(request.db, request.now, [(booked, paid)])[0]
            ask = Return(record.uid, paid, record.amount)
        elif source == kinds.CODE:
            ask = Order(record.uid, record.amount, request.terminal.mid, tags.get(_CODE, b"").decode("ascii"))
        else:
            card = request.keys.token(pan_of(tags))
            online = request.message.mti != "0220" and request.message.type != kinds.DEFERRED_SALE
            proven = request.message.type == kinds.OFFLINE_SALE
            ask = Payment(record.uid, online, record.amount, record.currency, card, tags, proven, booked.type)
    except (SealError, ValueError):
        return settle(request.db, request.now, [(booked, Decision(answers.FORMAT_ERROR, text="Card data unreadable"))])[
            0
        ]
    return dataclasses.replace(booked, ask=ask)


def _refusal(message: Message, record: seal.Record, intact: bool, stan_used: bool) -> Decision | None:
    """The reason to refuse a payment without asking the issuer, or None."""
    if not intact:
        return Decision(answers.FORMAT_ERROR, text="Record damaged")
    if f"{record.amount:012}" != message.fields["4"]:
        return Decision(answers.WRONG_AMOUNT, text="Amounts differ")
    same = (record.stan, record.batch) == (message.stan, message.batch)
    if not same or not kinds.carries(message.type, record.type):
        return Decision(answers.FORMAT_ERROR, text="Record differs from message")
    kind = kinds.KINDS[record.type]
    asked = message.fields["49"], message.fields["3"], message.fields["25"]
    if asked != (_CURRENCY.get(record.currency), kind.process, kind.condition):
        return Decision(answers.INVALID, text="Not taken here")
    if stan_used:
        return Decision(answers.FORMAT_ERROR, text="STAN used before")
    return None


def _insert(request: RequestContext, record: seal.Record, settlement_batch: str) -> Booked:
    quarantined = request.terminal.quarantine is not None
    row = {
        "tid": request.tid,
        "uid": record.uid.hex(),
        "epoch": record.epoch,
        "sequence": record.sequence,
        "batch": record.batch,
        "settled_in": settlement_batch,
        "stan": record.stan,
        "type": record.type,
        "amount": record.amount,
        "currency": record.currency,
        "first6": record.first6,
        "last4": record.last4,
        "taken_at": record.taken_at,
        "header": record.header,
        "body_hash": record.body_hash.hex(),
        "body_counter": record.counter,
        "ikid": request.key_of(record).hex(),
        "worth": kinds.worth(record.type, record.amount) if record.type in kinds.RECORDS else 0,
        "state": "RECEIVED",
        "quarantined": int(quarantined),
        "handed_in": request.hand_in,
        "received": double_entry.now(),
    }
    number = request.db.execute(_INSERT, row).scalar_one()
    return Booked(request.message, record, number, quarantined)
