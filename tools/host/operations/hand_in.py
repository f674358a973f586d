# SPDX-License-Identifier: MIT
"""An operator hands in the records of a terminal that cannot send them (docs/support.md).

Each record is proven by its seal and then checked like a deferred payment of the terminal. Repeating it changes nothing,
and what the terminal later sends itself is recognised by its uid.
"""

import asyncio
import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from tools.host.books import double_entry
from tools.host.errors import OperatorError, SealError
from tools.host.keys.key_store import KeyStore
from tools.host.keys.seal import Record, parse
from tools.host.operations import hand_in_checks
from tools.host.operations.hand_in_checks import Checks, Verdict, Wishes
from tools.host.store.schema import hand_in as table
from tools.host.store.schema import payment
from tools.host.store.schema import terminal as registered
from tools.host.transactions import chain, decisions, epochs, record_checks, reversal, terminals
from tools.host.transactions.request_context import is_asked
from tools.host.transactions.service import Service
from tools.host.transactions.terminals import Terminal
from tools.host.wire import answers, kinds
from tools.host.wire.as_sent import message as message_of
from tools.host.wire.message import Message

MOST = 32_768  # records: those of a journal of 8 MiB
_TOGETHER = 64  # records in a transaction
_SILENT = 8  # payments in a row without an answer, after which nobody is asked any more: each group takes up to 25 s
_SAMPLE = 16  # records from all over the journal, and as many of the newest, whose seals show which terminal it is
_LISTED = 200  # records named in a report
_ATTENTION = (hand_in_checks.DECLINED, hand_in_checks.HELD, hand_in_checks.WAITS, hand_in_checks.REFUSED,
              hand_in_checks.UNANSWERED)  # fmt: skip

Offered = tuple[bytes, str]  # a sealed record (248 bytes), and what the terminal's marks say about it


async def run(
    service: Service,
    keys: KeyStore,
    offered: Sequence[Offered],
    by: str,
    tid: str | None = None,
    wishes: Wishes | None = None,
    note: str = "",
    unread: int = 0,
) -> dict[str, Any]:
    """Hand in the records of one terminal. `by`: the name for the audit. `tid`: None finds it by the records' seals.

    `note`: where the records come from. `unread`: pages of the flash that could not be read.
    Returns the report (docs/support.md), amounts in minor units. Raises OperatorError if nothing can be handed in.
    """
    check_name(by)
    if not 0 < len(offered) <= MOST:
        raise OperatorError(f"{len(offered)} records: from 1 to {MOST} can be handed in")
    records, unreadable = _parsed(offered)
    with service.ledger.read() as db:
        terminal = _owner(db, keys, [record for record, _ in records], tid)
    remarks = [f"{unread} pages of the flash could not be read"] if unread else []
    if unreadable:
        remarks.append(f"{unreadable} pages look like records and cannot be read")
    note = "".join(one if one.isprintable() else "?" for one in note[:500])
    return await _HandIn(service, keys, terminal, records, wishes or Wishes(), by).run(note, remarks)


def check_name(by: str) -> None:
    """Whether the audit can name who does it. Raises OperatorError."""
    if not by.strip() or len(by) > 60 or not by.isprintable():
        raise OperatorError("say who does it, in at most 60 characters")


class _HandIn:
    """One hand-in: what became of each record so far."""

    def __init__(
        self,
        service: Service,
        keys: KeyStore,
        terminal: Terminal,
        records: list[tuple[Record, str]],
        wishes: Wishes,
        by: str,
    ) -> None:
        self._service = service
        self._tid = terminal.tid
        self._records = records
        self._checks = Checks(keys, terminal, wishes, [record for record, _ in records])
        self._by = by
        self._number = 0
        self._unanswered = 0  # payments in a row that neither issuer nor wallet answered
        self._waiting: list[tuple[Record, Message]] = []
        self._sums: dict[str, dict[str, list[int]]] = {}  # what became of it -> kind -> [count, sum]
        self._lines: list[dict[str, Any]] = []
        self._more = 0  # lines left out
        self._undecided: set[int] = set()  # sequences that are not missing, only not in the chain yet
        self._newest: tuple[int, int] = (0, 0)  # epoch and sequence of the newest record with a valid seal

    async def run(self, note: str, remarks: list[str]) -> dict[str, Any]:
        """`remarks`: what was wrong with the journal."""
        damaged = bool(remarks)
        remarks += self._begin(note)
        for at in range(0, len(self._records), _TOGETHER):
            for record, mark in self._records[at : at + _TOGETHER]:
                await self._take(record, mark)
            await self._send()
            await asyncio.sleep(0)  # terminals are served meanwhile
        return self._end(note, remarks, damaged)

    def _begin(self, note: str) -> list[str]:
        """Store who hands in what, before anything of it is done. Returns what is known about the same records."""
        digest = hashlib.sha256(b"".join(record.raw for record, _ in self._records)).hexdigest()
        with self._service.ledger.write() as db:
            terminals.load(db, self._tid)  # locked, so that nobody else takes the same number
            before = select(table.c.at, table.c.operator).where(table.c.tid == self._tid, table.c.digest == digest)
            repeats = [f"the same records were handed in on {at[:16]} by {who}" for at, who in db.execute(before)]
            mine = select(func.coalesce(func.max(table.c.number), 0) + 1).where(table.c.tid == self._tid)
            self._number = db.execute(mine).scalar_one()
            row = {"at": double_entry.now(), "tid": self._tid, "operator": self._by, "digest": digest}
            db.execute(insert(table).values(number=self._number, **row))
            detail = f"number {self._number} by {self._by}: {len(self._records)} records, {digest[:16]} {note}"
            double_entry.note(db, self._tid, "hand-in begun", detail.strip())
        return repeats[:3]

    async def _take(self, record: Record, mark: str) -> None:
        """Decide about one record, or collect it for `_send`."""
        if any(record.raw[54:56]):
            await self._send()  # it may be about one of them
        with self._service.ledger.read() as db:
            verdict = self._checks.judge(db, record, mark)
        if verdict.what != hand_in_checks.REFUSED:
            self._newest = max(self._newest, (record.epoch, record.sequence))
        if verdict.what == hand_in_checks.NO_PAYMENT:
            if mark == hand_in_checks.HALF:
                self._undecided.add(record.sequence)  # another has its place, or will have it
            else:
                self._link(record)
        if verdict.what == hand_in_checks.UNDO:
            await self._send()  # one of them may be about it
            verdict = self._undo(verdict)
        if verdict.what == hand_in_checks.SEND:
            assert verdict.message is not None
            self._waiting.append((record, verdict.message))
        else:
            self._note(record, verdict)

    def _link(self, record: Record) -> None:
        """Add a record that never became a payment to the chain. The terminal may still say otherwise."""
        with self._service.hand_in_transaction(self._number) as transaction:
            terminal = terminals.load(transaction.db, self._tid)
            if terminal is not None and not hand_in_checks.is_linked(transaction.db, self._tid, record):
                request = transaction.request(terminal, message_of(terminal, record, kinds.VOID_ENTRY))
                known = record_checks.look(request, record)
                record_checks.note_record(request, record, chain.VOID, known)

    async def _send(self) -> None:
        """Have the collected payments checked and decided."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        if self._unanswered >= _SILENT:
            for record, _ in waiting:
                self._note(record, Verdict(hand_in_checks.WAITS, "not asked: issuer or wallet does not answer"))
            return
        replies = await self._service.hand_in([message for _, message in waiting], self._number)
        for (record, _), answer in zip(waiting, replies, strict=True):
            code = answer["39"]
            text = bytes.fromhex(answer["63"])[19:].decode()
            if code in answers.YES:
                self._note(record, Verdict(hand_in_checks.TAKEN))
            elif code in answers.NOT_FINAL:
                self._note(record, Verdict(hand_in_checks.WAITS, f"{code} {text}".strip()))
            else:
                self._note(record, Verdict(hand_in_checks.DECLINED, f"{code} {text}".strip()))
        answered = any(answer["39"] not in answers.NOT_FINAL for answer in replies)
        self._unanswered = 0 if answered else self._unanswered + len(replies)

    def _undo(self, verdict: Verdict) -> Verdict:
        """Reverse a payment that the terminal would reverse, because an operator named it."""
        row = verdict.row
        assert row is not None
        with self._service.hand_in_transaction(self._number) as transaction:
            db = transaction.db
            terminals.load(db, row.tid)  # locked, so that its batch does not close meanwhile
            mine = payment.c.tid == row.tid, payment.c.uid == row.uid
            now = db.execute(select(payment).where(*mine).with_for_update()).one()
            if is_asked(now):  # its terminal asked meanwhile
                return Verdict(hand_in_checks.WAITS, "it is being decided")
            if reason := reversal.reason_not_reversible(db, now):
                return Verdict(hand_in_checks.HELD, f"it cannot be reversed: {reason[0]}")
            if now.state != row.state or not decisions.undo(db, now, transaction.now):
                return Verdict(hand_in_checks.WAITS, "it was decided meanwhile: hand it in again")
            detail = f"hand-in {self._number} by {self._by}: uid {row.uid}, was {row.state.lower()}"
            double_entry.note(db, self._tid, "reversed by an operator", detail)
        return Verdict(hand_in_checks.REVERSED)

    def _note(self, record: Record, verdict: Verdict) -> None:
        name = kinds.KINDS[record.type].name if record.type in kinds.KINDS else f"type {record.type}"
        amount = kinds.signed(record.type, record.amount)
        cell = self._sums.setdefault(verdict.what, {}).setdefault(name, [0, 0])
        cell[0], cell[1] = cell[0] + 1, cell[1] + amount
        if verdict.what in (hand_in_checks.HELD, hand_in_checks.WAITS):
            self._undecided.add(record.sequence)
        if verdict.what not in (*_ATTENTION, hand_in_checks.REVERSED, hand_in_checks.NO_PAYMENT):
            return
        if len(self._lines) >= _LISTED:
            self._more += 1
            return
        line = {"epoch": record.epoch, "sequence": record.sequence, "kind": name, "amount": amount}
        self._lines.append({**line, "what": verdict.what, "why": verdict.why})

    def _end(self, note: str, remarks: list[str], damaged: bool) -> dict[str, Any]:
        """The report, stored with the hand-in."""
        with self._service.ledger.write() as db:
            terminal = terminals.load(db, self._tid)
            assert terminal is not None
            epoch, newest = self._newest
            missing = []
            if epoch and not epochs.is_over(terminal, epoch):
                missing = hand_in_checks.missing(db, terminal, epoch, newest, self._undecided)
            top = max(chain.highest(db, self._tid, epoch)[0], terminal.reported_sequence * (epoch == terminal.epoch))
            behind = newest < top
            if behind:
                remarks.append(f"an older copy of the journal: it ends with record {newest}, and {top} is known here")
            if terminal.quarantine:
                remarks.append(f"the terminal is in quarantine, its money is withheld: {terminal.quarantine}")
            report = {
                "number": self._number,
                "at": double_entry.now(),
                "by": self._by,
                "terminal": self._tid,
                "merchant": terminal.mid,
                "note": note,
                "records": len(self._records),
                "newest": newest,
                "sums": self._sums,
                "lines": self._lines,
                "more": self._more,
                "missing": missing,
                "remarks": remarks,
                "complete": not (
                    missing or behind or damaged or terminal.quarantine or set(self._sums) & set(_ATTENTION)
                ),
            }
            mine = table.c.tid == self._tid, table.c.number == self._number
            db.execute(update(table).where(*mine).values(report=json.dumps(report)))
            counts = (f"{what} {sum(count for count, _ in by.values())}" for what, by in self._sums.items())
            double_entry.note(db, self._tid, "hand-in ended", f"number {self._number}: {', '.join(counts)}")
        return report


def _parsed(offered: Sequence[Offered]) -> tuple[list[tuple[Record, str]], int]:
    """The records in the order they were made, each once, and the number of those that are none."""
    records: list[tuple[Record, str]] = []
    unreadable = 0
    for raw, mark in dict(offered).items():
        try:
            records.append((parse(raw), mark))
        except SealError:
            unreadable += 1
    records.sort(key=lambda one: (one[0].epoch, one[0].sequence, one[0].uid))
    return records, unreadable


def _owner(db: Connection, keys: KeyStore, records: list[Record], tid: str | None) -> Terminal:
    """The registered terminal that sealed the records. Raises OperatorError."""
    step = max(1, len(records) // _SAMPLE)
    sample = records[::step][:_SAMPLE] + records[-_SAMPLE:]  # the newest too: older ones may be under an earlier key
    best, most = tid, 0
    if tid is None:
        for tried in db.execute(select(registered.c.tid).order_by(registered.c.tid)).scalars().all():
            one = terminals.load(db, tried, lock=False)
            held = sum(hand_in_checks.intact(record, keys, one.ikids) for record in sample) if one else 0
            if held > most:
                best, most = tried, held
    terminal = terminals.load(db, best, lock=False) if best else None
    if terminal is None:
        what = f"terminal {tid} is not registered here" if tid else "no terminal registered here sealed these records"
        raise OperatorError(what)
    return terminal
