# SPDX-License-Identifier: MIT
"""Every payment as it arrives: checked against everything the host knows, stored, and only then asked about outside.

The sealed body is opened in memory and never stored: only header, tags and hash are kept. What becomes of the payment
is in decisions.py.
"""

import dataclasses
from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select, update

from tools.host.books.double_entry import now
from tools.host.errors import SealError
from tools.host.keys import seal
from tools.host.keys.card_number import pan_of
from tools.host.outside.issuer import Decision, Payment
from tools.host.outside.wallet import Order, Return
from tools.host.store import numbers
from tools.host.store.schema import payment as table
from tools.host.transactions import card_checks, chain, idempotency, originals, record_checks
from tools.host.transactions.card_checks import Outcome
from tools.host.transactions.decisions import Booked, settle
from tools.host.transactions.record_checks import RecordChecks
from tools.host.transactions.request_context import RequestContext, is_asked
from tools.host.wire import answers, kinds
from tools.host.wire.answers import Answer
from tools.host.wire.message import Message

_CODE = "DF03"  # tag in the sealed body: the customer's code
_WALLET = "DF05"  # the wallet whose code is shown, as its name in the terminal's settings
_CURRENCY = {"0156": "156"}
INSERT = insert(table)
_MINE = table.c.tid == bindparam("of_tid"), table.c.uid == bindparam("of_uid")
_ONE = select(table).where(*_MINE)
_CHANGE = update(table).where(*_MINE, table.c.state == "RECEIVED")
_MAY_BE_NOTHING = (kinds.BALANCE, kinds.VOID, kinds.COMPLETION_VOID, kinds.ADJUST)  # amounts of 0.00


def receive(request: RequestContext) -> Answer | Booked:
    """First transaction: store a new payment. Returns the answer, or the payment if somebody outside must be asked."""
    message, record = request.message, request.message.record
    if record is None or record.uid != message.uid or record.type not in kinds.RECORDS:
        request.alarm("unreadable record")
        return request.answer(answers.FORMAT_ERROR, "Record damaged")
    verdict = idempotency.look(request.db, message, record.epoch)
    if verdict.clash == "uid":
        request.alarm("same uid, other content")
        had_it = verdict.answer is not None and verdict.answer["39"] in answers.YES
        return request.answer(answers.DUPLICATE if had_it else answers.FORMAT_ERROR, "Differs from the first one")
    if verdict.answer is not None:
        return verdict.answer
    known = record_checks.look(request, record)
    if verdict.seen or known.is_here:
        if not verdict.seen:
            idempotency.open_(request.db, message, record.epoch)  # it came in another way: uploaded or handed in
        return _repeated(request, record)
    if not record_checks.is_sealed(request, record):  # nothing of it is believed, so nothing is stored
        void = message.type == kinds.VOID_ENTRY  # the terminal says that it was not paid; its place stays empty
        return request.answer(answers.APPROVED) if void else request.answer(answers.FORMAT_ERROR, "Record damaged")
    return _store(request, record, known, verdict.clash == "stan")


def _store(request: RequestContext, record: seal.Record, known: RecordChecks, stan_used: bool) -> Answer | Booked:
    """Store a new request: its chain link, its message, its payment."""
    db, message = request.db, request.message
    void = message.type == kinds.VOID_ENTRY
    if known.has_tombstone or void:
        if not known.has_tombstone:
            record_checks.note_record(request, record, chain.VOID, known)
        code, text = (answers.INVALID, "Cancelled before it came") if known.has_tombstone else (answers.APPROVED, "")
        answer = request.answer(code, text)
        idempotency.open_(db, message, record.epoch, answer)
        return answer
    record_checks.note_record(request, record, chain.PAYMENT, known)
    idempotency.open_(db, message, record.epoch)
    quarantined = request.terminal.quarantine is not None
    row, outcome = judge(request, record, known, stan_used and not quarantined)
    db.execute(INSERT, row)
    return booked(request, [(Booked(message, record), card_checks.refuse_used(db, [outcome])[0])])[0]


def judge(
    request: RequestContext, record: seal.Record, known: RecordChecks, stan_used: bool = False
) -> tuple[dict[str, Any], Outcome]:
    """The row of a new payment, and its refusal or what to ask outside, unless its card was used (card_checks.refuse_used).

    Its chain link and its message are stored before.
    """
    quarantined = request.terminal.quarantine is not None
    row = _row(request, record, record_checks.settlement_batch(request, record, known), quarantined)
    refusal = _refusal(request, record, known, stan_used)
    if refusal:
        request.alarm(refusal.text)
    return row, refusal or _ask(request, record, row)


def _repeated(request: RequestContext, record: seal.Record) -> Answer | Booked:
    """Received before, but not answered: still being decided outside, interrupted by a crash, or reversed since."""
    key = {"of_tid": request.tid, "of_uid": record.uid.hex()}
    row = request.db.execute(_ONE, key).one()
    if is_asked(row):
        return request.answer(answers.IN_PROGRESS)
    if row.state != "RECEIVED":  # since then, by another process of this host, a reversal, a batch upload or a hand-in
        answer = idempotency.look(request.db, request.message, record.epoch).answer
        if answer is not None:
            return answer
        paid = row.state == "APPROVED"
        numbers = {name: value for name, value in (("_37", row.rrn), ("_38", row.auth_code)) if value}
        answer = request.answer(answers.APPROVED, **numbers) if paid else request.answer(answers.INVALID, "Cancelled")
        idempotency.close(request.db, [(request.message, answer)])
        return answer
    noted: dict[str, Any] = {}
    outcome = card_checks.refuse_used(request.db, [_ask(request, record, noted)])[0]
    request.db.execute(_CHANGE.values({"asked_until": None, **noted}), key)
    return booked(request, [(Booked(request.message, record), outcome)])[0]


def booked(request: RequestContext, judged: Sequence[tuple[Booked, Outcome]]) -> list[Answer | Booked]:
    """The answers to payments that are decided; the others, each with what to ask outside. All of them are stored."""
    decided = [(one, word) for one, word in judged if isinstance(word, Decision)]
    given = iter(settle(request.db, request.now, decided) if decided else ())
    done: list[Answer | Booked] = []
    for one, word in judged:
        if not isinstance(word, Decision):
            done.append(dataclasses.replace(one, ask=word))
            continue
        answer = next(given)
        assert answer is not None, "it was stored in this transaction"
        done.append(answer)
    return done


def _ask(request: RequestContext, record: seal.Record, row: dict[str, Any]) -> Outcome:
    """Check a payment against its original, limits and card; the refusal, or what to ask the issuer or wallet.

    Cash needs neither, and the host itself decides payments that name another one. `row`: gets what is to be stored.
    """
    source = kinds.KINDS[record.type].source
    if source == kinds.NAMED:
        return originals.decide_named(request, record, row)
    if source in (kinds.NO_SOURCE, kinds.PAID_CASH):
        if source == kinds.PAID_CASH:
            originals.note_cash(request, record, row)
        return Decision(answers.APPROVED)
    try:
        tags = seal.open_body(record, request.keys, request.key_of(record))
        if source == kinds.PAID_CODE:
            paid = originals.paid_code(request, record, row, tags)
            outcome: Outcome = paid if isinstance(paid, Decision) else _return(request, record, *paid)
        elif source == kinds.CODE:
            outcome = _order(request, record, tags)
        else:
            outcome = _card(request, record, row, tags)
    except (SealError, ValueError):
        return Decision(answers.FORMAT_ERROR, text="Card data unreadable")
    if not isinstance(outcome, Decision):
        row["asked_until"] = request.asked_until
    return outcome


def _order(request: RequestContext, record: seal.Record, tags: dict[str, bytes]) -> Order:
    """A payment by code. Raises ValueError if its data cannot be read."""
    code, wallet = tags.get(_CODE, b"").decode("ascii"), tags.get(_WALLET, b"").decode("ascii")
    return Order(request.tid, record.uid, record.amount, request.merchant_of(record), record.currency, code, wallet)


def _return(request: RequestContext, record: seal.Record, tid: str, uid: bytes) -> Return:
    """A refund of the order `uid` of terminal `tid`."""
    merchant = request.merchant_of(record)
    return Return(request.tid, record.uid, tid, uid, record.amount, merchant, record.currency)


def _card(request: RequestContext, record: seal.Record, row: dict[str, Any], tags: dict[str, bytes]) -> Outcome:
    """A payment by card. Raises ValueError if its data cannot be read."""
    card = request.keys.token(pan_of(tags))
    row["pan_token"] = card
    deferred = request.message.mti == "0220" or request.message.type == kinds.DEFERRED_SALE
    online = not deferred and not request.late  # somebody waits, and no later payment can have come before it
    proven = request.message.type == kinds.OFFLINE_SALE
    ask = Payment(
        record.uid,
        online,
        record.amount,
        record.currency,
        card,
        tags,
        proven,
        record.type,
        request.tid,
        request.terminal.mid,
    )
    refusal = card_checks.refusal(ask) or originals.match_original(request, ask, row)
    return refusal or ask


def _refusal(request: RequestContext, record: seal.Record, known: RecordChecks, stan_used: bool) -> Decision | None:
    """The reason to refuse a payment whatever it is about, or None."""
    message: Message = request.message
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
    if not record.amount and record.type not in _MAY_BE_NOTHING:
        return Decision(answers.INVALID, text="No amount")
    waits = kinds.KINDS[message.type].mti != "0220" and message.type != kinds.DEFERRED_SALE and not request.late
    if waits and record_checks.is_foreign_batch(request, record, known):
        return Decision(answers.INVALID, text=f"Batch {request.terminal.batch:06} is open")
    return None


def _row(request: RequestContext, record: seal.Record, settlement_batch: str, quarantined: bool) -> dict[str, Any]:
    return {
        "tid": request.tid,
        "uid": record.uid.hex(),
        "mid": request.merchant_of(record),
        "number": numbers.new(),
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
        "worth": kinds.worth(record.type, record.amount),
        "state": "RECEIVED",
        "quarantined": int(quarantined),
        "handed_in": request.hand_in,
        "received": now(),
    }
