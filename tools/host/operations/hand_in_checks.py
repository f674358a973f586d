# SPDX-License-Identifier: MIT
"""What is to become of one record that is handed in: is it here, may it be sent on, or why not.

A record is proven by its seal. What the terminal's marks say about it (sent, deferred, never sent) is not: only the
device has the key of their tags. So no money moves on a mark alone; an operator has to name the record.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Row, exists, select

from tools.host.errors import FrameError, SealError
from tools.host.keys import seal
from tools.host.keys.key_store import KeyStore
from tools.host.keys.seal import Record
from tools.host.store.schema import link, payment, terminal, tombstone
from tools.host.store.schema import message as sent
from tools.host.transactions import chain, requests, reversal
from tools.host.transactions.terminals import Terminal
from tools.host.wire import as_sent, kinds
from tools.host.wire.message import REQUEST, Message

# What became of a record.
TAKEN, DECLINED, REVERSED = "taken in", "declined", "reversed"
THERE, THERE_UNPAID, NO_PAYMENT = "there already", "there already, not paid", "never became a payment"
HELD, WAITS, REFUSED, UNANSWERED = "held", "no answer yet", "refused", "paid here, unanswered at the terminal"
SEND, UNDO = "send", "undo"  # not decided yet: to be checked as a payment; to be reversed

# What a terminal's marks say about an intent.
DEFERRED, PAID, OPEN, ENDED = "deferred", "paid", "open", "ended"
HALF = (
    "half"  # said about any record: it may be half written, and then the terminal told everybody that it was not taken
)
MARKS = (DEFERRED, PAID, OPEN, ENDED, HALF)

_LONG = 4  # flag: the body continues in another page
_OFFLINE = frozenset((kinds.SALE, kinds.CASH, kinds.CASH_REFUND, kinds.COMPLETION_ADVICE, kinds.VOICE_SALE,
                      kinds.ADJUST, kinds.TIP))  # fmt: skip
_OTHERS = 50  # terminals whose keys are tried on a record with a foreign seal
_COMPARED = 200  # records that they are tried on


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a record, and why. `message`: what is to be sent (SEND). `row`: the payment to be undone (UNDO)."""

    what: str
    why: str = ""
    message: Message | None = None
    row: Row | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the operator vouches for, by sequence: intents taken as deferred, approved payments to be reversed."""

    deferred: frozenset[int] = frozenset()
    reverse: frozenset[int] = frozenset()


class Checks:
    """Judges the records of one terminal. `keys`: the host's. `offered`: all records of the hand-in."""

    def __init__(self, keys: KeyStore, of: Terminal, wishes: Wishes, offered: Iterable[Record] = ()) -> None:
        self._keys = keys
        self._terminal = of
        self._wishes = wishes
        self._places: dict[tuple[int, int], list[Record]] = {}  # epoch and sequence -> the records that claim them
        for record in offered:
            self._places.setdefault((record.epoch, record.sequence), []).append(record)
        self._compared = 0  # records that were compared with other terminals' keys

    def judge(self, db: Connection, record: Record, mark: str) -> Verdict:
        """What is to become of a record. `mark`: one of MARKS; but for HALF looked at for intents only."""
        row = self._one(db, record)
        if row is not None and (row.header, row.body_hash) != (record.header, record.body_hash.hex()):
            return Verdict(REFUSED, "differs from the payment received under its uid")
        if not intact(record, self._keys, self._terminal.ikids):
            if row is not None:
                return Verdict(THERE if row.state == "APPROVED" else THERE_UNPAID, "its seal tag is damaged")
            return Verdict(REFUSED, "its seal does not hold" + self._whose(db, record))
        if row is not None:
            return self._known(db, row, record, mark)
        if record.flags & _LONG:
            return Verdict(REFUSED, "its body takes two pages, which the host does not accept yet")
        if record.type not in kinds.RECORDS or record.kind == seal.ACCEPTED and record.type not in _OFFLINE:
            return Verdict(REFUSED, "no terminal takes such a payment without the host")
        if self._has_tombstone(db, record):
            return Verdict(THERE_UNPAID, "reversed before it came")
        if self._is_void(db, record):
            return Verdict(THERE_UNPAID, "the terminal reported it as not taken")
        if mark == HALF:
            if self._is_half(record) and (record.kind == seal.INTENT or record.sequence not in self._wishes.deferred):
                what = NO_PAYMENT if record.kind == seal.INTENT else HELD
                return Verdict(what, "it may be half written, and not taken for the terminal: compare with the receipt")
            mark = OPEN
        return self._unknown_intent(db, record, mark) if record.kind == seal.INTENT else self._send(db, record)

    def _is_half(self, record: Record) -> bool:
        """Whether nothing speaks against HALF: a record with a valid seal has its place, or none claims it at all."""
        others = [one for one in self._places.get((record.epoch, record.sequence), ()) if one.uid != record.uid]
        return not others or any(intact(one, self._keys, self._terminal.ikids) for one in others)

    def _known(self, db: Connection, row: Row, record: Record, mark: str) -> Verdict:
        """A record that is here as a payment, unaltered."""
        undone = record.kind == seal.INTENT and record.type in kinds.REVERSED and mark in (OPEN, ENDED)
        if row.state == "RECEIVED":
            message = self._as_received(db, record)
            if message is not None and (message.type != record.type or record.type not in kinds.REVERSED):
                return Verdict(SEND, message=message)
            if undone and record.sequence in self._wishes.reverse:
                return Verdict(UNDO, row=row)
            return Verdict(HELD, "received online and never answered: the terminal would reverse it")
        if row.state != "APPROVED":
            return Verdict(THERE_UNPAID, row.text or "")
        heard = not undone or self._as_received(db, record, record.type) is None
        if not heard and reversal.reason_not_reversible(db, row) is None:
            if record.sequence in self._wishes.reverse:
                return Verdict(UNDO, row=row)
            return Verdict(UNANSWERED, "the terminal never had the answer, told the customer so, and would reverse it")
        return Verdict(THERE)

    def _unknown_intent(self, db: Connection, record: Record, mark: str) -> Verdict:
        """An online request that never arrived here."""
        repeated = record.type not in kinds.REVERSED  # the terminal asks until it has an answer
        if mark == ENDED or mark == OPEN and not repeated or mark != PAID and record.type == kinds.BALANCE:
            return Verdict(NO_PAYMENT, "it never arrived here, and the terminal did not take it")
        if not repeated and record.type != kinds.SALE:
            return Verdict(HELD, "the terminal has it as paid, and it never arrived here")
        if record.sequence in self._wishes.deferred:
            return self._send(db, record)
        if repeated and mark != PAID:
            return Verdict(HELD, "it had no answer, and the terminal would ask again: compare with the receipt")
        said = "was taken without the host" if mark == DEFERRED else "was approved online"
        return Verdict(HELD, f"it {said} by a mark that only the terminal can prove: compare with the receipt")

    def _send(self, db: Connection, record: Record) -> Verdict:
        """A payment to be checked like one from the terminal's queue, once the payment it is about has its answer."""
        named = ""
        if back := int.from_bytes(record.raw[54:56], "big"):
            original = requests.by_sequence(db, self._terminal.tid, record, record.sequence - back)
            if original is None or original.state == "RECEIVED":
                return Verdict(HELD, f"it is about record {record.sequence - back}, which has no final answer here")
            named = original.batch + original.stan
        try:
            return Verdict(SEND, message=as_sent.message(self._terminal, record, as_sent.queued_type(record), named))
        except FrameError as error:
            return Verdict(REFUSED, f"no message carries it: {error}")

    def _as_received(self, db: Connection, record: Record, *types: str) -> Message | None:
        """The request in which the terminal sent a payment; None if it was another, or none of these `types`."""
        return requests.received(db, self._terminal, record, self._named(db, record), *types)

    def _named(self, db: Connection, record: Record) -> str:
        return requests.named(db, self._terminal, record, self._keys)

    def _one(self, db: Connection, record: Record) -> Row | None:
        mine = payment.c.tid == self._terminal.tid, payment.c.uid == record.uid.hex()
        return db.execute(select(payment).where(*mine)).one_or_none()

    def _has_tombstone(self, db: Connection, record: Record) -> bool:
        mine = tombstone.c.tid == self._terminal.tid, tombstone.c.uid == record.uid.hex()
        return bool(db.execute(select(exists().where(*mine))).scalar_one())

    def _is_void(self, db: Connection, record: Record) -> bool:
        """Whether the terminal itself sent a void entry: a request with this uid, and no payment."""
        mine = sent.c.tid == self._terminal.tid, sent.c["class"] == REQUEST, sent.c.uid == record.uid.hex()
        return bool(db.execute(select(exists().where(*mine))).scalar_one())

    def _whose(self, db: Connection, record: Record) -> str:
        """The other terminal whose seal a record carries, as a part of the reason."""
        self._compared += 1
        if self._compared > _COMPARED:
            return ""
        others = select(terminal.c.tid, terminal.c.ikid).where(terminal.c.tid != self._terminal.tid).limit(_OTHERS)
        for tid, ikid in db.execute(others):
            if intact(record, self._keys, [bytes.fromhex(ikid)]):
                return f": it is a record of {tid}"
        return ""


def intact(record: Record, keys: KeyStore, ikids: Sequence[bytes]) -> bool:
    """Whether a record carries the seal of a terminal that has or had these initial key ids."""
    try:
        return seal.holds(record, seal.recomputed_tag(record, keys, seal.sealed_under(record, keys, ikids)))
    except SealError:
        return False


def is_linked(db: Connection, tid: str, record: Record) -> bool:
    """Whether the chain has this record already."""
    mine = link.c.tid == tid, link.c.epoch == record.epoch, link.c.sequence == record.sequence
    return bool(db.execute(select(exists().where(*mine, link.c.uid == record.uid.hex()))).scalar_one())


def missing(db: Connection, of: Terminal, epoch: int, newest: int, known: set[int]) -> list[tuple[int, int]]:
    """Sequences that are neither here nor in `known`, as (first, last). At most 100 ranges."""
    found: list[tuple[int, int]] = []
    told = of.reported_sequence if epoch == of.epoch else 0
    for first, last in chain.gaps(db, of.tid, epoch, max(newest, told)):
        for sequence in sorted(one for one in known if first <= one <= last):
            if first < sequence:
                found.append((first, sequence - 1))
            first = sequence + 1
        if first <= last:
            found.append((first, last))
        if len(found) >= 100:
            break
    return found
