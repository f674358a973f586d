# SPDX-License-Identifier: MIT
"""Sale, cash and void entry: received, decided, answered. The issuer's word comes between two transactions."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, insert, select, update

from tools.cards.verify import pan_of
from tools.host import answers, batch, books, chain, idempotency, ledger, seal
from tools.host.case import Case
from tools.host.errors import SealError
from tools.host.issuer import Decision, Payment
from tools.host.keys import HostKeys
from tools.host.message import CASH, DEFERRED_SALE, SALE, VOID_ENTRY, Message
from tools.host.schema import payment as table
from tools.host.schema import tombstone

_SALE_RECORD, _CASH_RECORD = "22", "71"
_RECORD_TYPES = {
    SALE: (_SALE_RECORD,),
    DEFERRED_SALE: (_SALE_RECORD,),
    CASH: (_CASH_RECORD,),
    VOID_ENTRY: (_SALE_RECORD, _CASH_RECORD),
}
_CURRENCY = {"0156": "156"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A payment on its way to the issuer."""

    message: Message
    payment: Payment


def receive(case: Case, keys: HostKeys) -> dict[str, str] | Asked:
    """First transaction: store what is new. Returns the final answer, or what to ask the issuer."""
    message, record = case.message, case.message.record
    if record is None or record.uid != message.uid:
        case.alarm("unreadable record")
        return case.answer(answers.FORMAT_ERROR, "Record damaged")
    verdict = idempotency.look(case.db, message, record.epoch)
    if verdict.clash == "uid":
        case.alarm("same uid, other content")
        had_it = verdict.answer is not None and verdict.answer["39"] in answers.YES
        return case.answer(answers.DUPLICATE if had_it else answers.FORMAT_ERROR, "Differs from the first one")
    if verdict.answer is not None:
        return verdict.answer
    if verdict.seen:
        return _again(case, keys)
    return _store(case, keys, verdict.clash == "stan")


def settle(case: Case, decision: Decision, card: str | None = None) -> dict[str, str]:
    """Second transaction: the answer, the money and the proof of the card's counter, together. Drops nothing twice:
    the sealed body was never written."""
    row = _row(case)
    if decision.code in answers.NOT_FINAL:
        return case.answer(decision.code, decision.text)
    yes = decision.code in answers.YES
    rrn = f"{case.now:%y%j}"[1:] + f"{row.id % 10**8:08}"
    elements = {"_37": rrn} | ({"_38": decision.auth_code} if yes and decision.auth_code else {})
    answer = case.answer(decision.code, decision.text, **elements)
    case.db.execute(
        update(table)
        .where(table.c.id == row.id)
        .values(
            state="APPROVED" if yes else "DECLINED",
            code=decision.code,
            auth_code=decision.auth_code if yes else None,
            rrn=rrn,
            text=decision.text,
            pan_token=card,
            atc=decision.atc,
            answered=books.now(),
        )
    )
    if yes:
        books.post(case.db, books.sale(row.id, row.amount, row.type == _CASH_RECORD, bool(row.quarantined)))
    idempotency.close(case.db, case.message, answer)
    return answer


def _store(case: Case, keys: HostKeys, stan_used: bool) -> dict[str, str] | Asked:
    """A request never seen before: its link, its message, its payment."""
    db, message, record = case.db, case.message, _record(case.message)
    buried = select(tombstone).where(tombstone.c.tid == case.tid, tombstone.c.uid == record.uid.hex())
    if db.execute(buried).first() is not None:
        answer = case.answer(answers.INVALID, "Cancelled before it came")
        idempotency.open_(db, message, record.epoch, answer)
        return answer
    void = message.type == VOID_ENTRY
    intact, suspicion = note_record(case, record, chain.VOID if void else chain.PAYMENT)
    if void:
        answer = case.answer(answers.APPROVED)
        idempotency.open_(db, message, record.epoch, answer)
        return answer
    quarantined = bool(suspicion or case.terminal.quarantine)
    idempotency.open_(db, message, record.epoch)
    _insert(case, record, quarantined)
    if refusal := _refusal(message, record, intact, stan_used and not quarantined):
        case.alarm(refusal.text)
        return settle(case, refusal)
    if message.type == CASH:
        return settle(case, Decision(answers.APPROVED))
    return _ask(case, keys)


def _again(case: Case, keys: HostKeys) -> dict[str, str] | Asked:
    """Received before, but not answered: still at the issuer, cut off by a crash, or reversed meanwhile."""
    if case.message.key in case.busy:
        return case.answer(answers.IN_PROGRESS)
    if _row(case).state == "REVERSED":
        answer = case.answer(answers.INVALID, "Cancelled")
        idempotency.close(case.db, case.message, answer)
        return answer
    return _ask(case, keys)


def _ask(case: Case, keys: HostKeys) -> dict[str, str] | Asked:
    """Open the body, in memory only, for the issuer."""
    record = _record(case.message)
    try:
        tags = seal.open_body(record, case.bdk, case.ikid)
        card = keys.token(pan_of(tags))
    except (SealError, ValueError):
        return settle(case, Decision(answers.FORMAT_ERROR, text="Card data unreadable"))
    online = case.message.type == SALE
    return Asked(case.message, Payment(record.uid, online, record.amount, record.currency, card, tags))


def note_record(case: Case, record: seal.Record, kind: str) -> tuple[bool, str | None]:
    """Add a record to the chain. Returns whether its seal holds, and what it proves against the terminal."""
    try:
        recomputed = seal.recomputed_tag(record, case.bdk, case.ikid)
    except SealError:
        recomputed = bytes(8)
    intact = seal.holds(record, recomputed)
    suspicion = chain.add(case.db, case.tid, record, recomputed, kind)
    if intact and not suspicion:
        if record.epoch > case.terminal.epoch:
            suspicion = f"epoch {record.epoch} was never begun"
        elif chain.body_key_reused(case.db, case.tid, record):
            suspicion = f"body key {record.counter} used for two payments"
    if suspicion:
        ledger.quarantine(case.db, case.tid, suspicion)
    return intact, suspicion


def _refusal(message: Message, record: seal.Record, intact: bool, stan_used: bool) -> Decision | None:
    """Why a payment is refused before anybody is asked."""
    if not intact:
        return Decision(answers.FORMAT_ERROR, text="Record damaged")
    if f"{record.amount:012}" != message.fields["4"]:
        return Decision(answers.WRONG_AMOUNT, text="Amounts differ")
    same = (record.stan, record.batch) == (message.stan, message.batch)
    if not same or record.type not in _RECORD_TYPES[message.type]:
        return Decision(answers.FORMAT_ERROR, text="Record differs from message")
    if _CURRENCY.get(record.currency) != message.fields["49"] or message.fields["3"] != "000000":
        return Decision(answers.INVALID, text="Not taken here")
    if stan_used:
        return Decision(answers.FORMAT_ERROR, text="STAN used before")
    return None


def _insert(case: Case, record: seal.Record, quarantined: bool) -> None:
    case.db.execute(
        insert(table).values(
            tid=case.tid,
            uid=record.uid.hex(),
            epoch=record.epoch,
            sequence=record.sequence,
            batch=record.batch,
            settled_in=batch.counting_in(case, record),
            stan=record.stan,
            type=record.type,
            amount=record.amount,
            currency=record.currency,
            first6=record.first6,
            last4=record.last4,
            taken_at=record.taken_at,
            header=record.header,
            body_hash=record.body_hash.hex(),
            body_counter=record.counter,
            state="RECEIVED",
            quarantined=int(quarantined),
            received=books.now(),
        )
    )


def _row(case: Case) -> Row[Any]:
    mine = (table.c.tid == case.tid, table.c.uid == case.message.uid.hex())
    return case.db.execute(select(table).where(*mine)).one()


def _record(message: Message) -> seal.Record:
    if message.record is None:
        raise SealError("no record in this message")
    return message.record
