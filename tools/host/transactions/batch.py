# SPDX-License-Identifier: MIT
"""0500: compare the terminal's totals with the host's. A batch closes once both agree and nothing is missing or open.

If they differ, the terminal uploads the batch record by record (upload.py); the batch closes when the upload ends.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, select, update

from tools.host.books import clearing, double_entry, totals
from tools.host.books.totals import Totals
from tools.host.errors import StateError
from tools.host.store import upsert
from tools.host.store.schema import batch as table
from tools.host.store.schema import payment
from tools.host.store.schema_behind import asked
from tools.host.store.upsert import put
from tools.host.transactions import chain, idempotency, terminals
from tools.host.transactions.request_context import RequestContext, is_asked
from tools.host.wire import answers
from tools.host.wire.answers import Answer

BALANCED, NOT_BALANCED, ERROR = "1", "2", "3"
_FOREIGN = "0" * 31  # foreign cards are not supported yet


def handle(request: RequestContext) -> Answer:
    """The answer to a batch close: the host's totals and the result. Only a balanced answer is final."""
    message, epoch = request.message, request.terminal.epoch
    verdict = idempotency.look(request.db, message, epoch)
    if verdict.clash:
        request.alarm("same close, other content")
        return _answer(request, ERROR, Totals(), "Differs from the first one")
    if verdict.answer is not None:
        return verdict.answer
    open_ones = unanswered(request)  # before the totals: a batch does not close with one of these
    closed = closed_with(request, message.batch)
    if closed is not None and message.fields["48"] == _form(closed, "0") + _FOREIGN:
        return _answer(request, BALANCED, closed)  # closed before with these totals; the answer was lost
    ours = closed or totals.of_batch(request.db, request.tid, request.terminal.epoch, message.batch)
    if closed is not None and _was_uploaded(request, message.batch):
        # The answer to the end of that upload was lost; repeat it.
        return _answer(request, NOT_BALANCED, ours, totals_text(ours))
    trouble = obstacle(request)
    if trouble is None and any(is_asked(row) for row in open_ones):
        trouble = "A payment is being decided"
    if trouble is not None:
        return _answer(request, ERROR, ours, trouble)
    lack = missing(request) or _undecided(open_ones)
    if lack or message.fields["48"] != _form(ours, "0") + _FOREIGN:
        request.alarm("batch not balanced")
        _ask_for_upload(request)
        return _answer(request, NOT_BALANCED, ours, lack or totals_text(ours))
    answer = _answer(request, BALANCED, ours)
    close(request, ours)
    idempotency.open_(request.db, message, epoch, answer)
    return answer


def obstacle(request: RequestContext) -> str | None:
    """Why the batch cannot close, as a message for the cashier; None if it can."""
    terminal, number = request.terminal, request.message.batch
    if closed_with(request, number) is not None:
        return f"Batch {number} is closed already"
    if int(number) != terminal.batch:
        return f"Batch {terminal.batch:06} is open, not {number}"
    if terminal.quarantine:
        return "In quarantine: call a supervisor"
    return None


def unanswered(request: RequestContext) -> Sequence[Row[Any]]:
    """The batch's payments that have no final answer here.

    The terminal only closes a batch when it knows the final answers, so it uploads them.
    """
    received = _in_batch(request, request.message.batch) & (payment.c.state == "RECEIVED")
    return request.db.execute(select(payment).where(received)).all()


def undecided(request: RequestContext) -> str | None:
    """How many payments have no final answer, as a message for the cashier; None if there are none."""
    return _undecided(unanswered(request))


def _undecided(rows: Sequence[Row[Any]]) -> str | None:
    return f"{len(rows)} payments without final answer" if rows else None


def totals_text(ours: Totals) -> str:
    """The host's totals, as a message for the cashier."""
    return f"Host has {ours.debit_count} for {ours.debit_amount // 100}.{ours.debit_amount % 100:02}"


def missing(request: RequestContext) -> str | None:
    """Which of the terminal's records never arrived, as a message for the cashier; None if there are none."""
    found = gaps(request)
    if not found:
        return None
    first, last = found[0]
    return f"Record {first} missing" if first == last else f"Records {first} to {last} missing"


def gaps(request: RequestContext) -> list[chain.Range]:
    """The terminal's records that never arrived; see chain.gaps."""
    return chain.gaps(request.db, request.tid, request.terminal.epoch, request.terminal.reported_sequence)


def _ask_for_upload(request: RequestContext) -> None:
    row = {"tid": request.tid, "epoch": request.terminal.epoch, "batch": request.message.batch}
    put(request.db, asked, {**row, "at": double_entry.now(), "ended": None, "missing": None})


def close(request: RequestContext, ours: Totals, uploaded: int = 0) -> None:
    """Close the batch for good. The next number is one higher, skipping numbers already used."""
    terminal, number = request.terminal, request.message.batch
    done = {"state": "closed", **ours._asdict(), "uploaded": uploaded, "closed": double_entry.now()}
    key = {"tid": request.tid, "epoch": terminal.epoch, "number": number}
    opened = {"mid": terminal.mid, "state": "open", "opened": double_entry.now()}
    upsert.insert_new(request.db, table, {**key, **opened})
    mine = (table.c.tid == request.tid, table.c.epoch == terminal.epoch, table.c.number == number)
    if request.db.execute(update(table).where(*mine, table.c.state == "open").values(**done)).rowcount != 1:
        raise StateError("a batch was closed twice at the same time")
    clearing.close(request.db, request.tid, terminal.epoch, number, request.day)
    following = int(number) % terminals.LAST_BATCH + 1
    while closed_with(request, f"{following:06}") is not None:
        following = following % terminals.LAST_BATCH + 1
    terminals.change(request.db, terminal, batch=following)


def closed_with(request: RequestContext, number: str) -> Totals | None:
    """The totals a batch was closed with; None if it is still open."""
    which = (table.c.tid == request.tid, table.c.epoch == request.terminal.epoch, table.c.number == number)
    row = request.db.execute(select(table).where(*which, table.c.state == "closed")).one_or_none()
    return Totals(*(getattr(row, name) or 0 for name in Totals._fields)) if row else None


def _was_uploaded(request: RequestContext, number: str) -> bool:
    """Whether a closed batch was closed at the end of an upload."""
    which = (table.c.tid == request.tid, table.c.epoch == request.terminal.epoch, table.c.number == number)
    return bool(request.db.execute(select(table.c.uploaded).where(*which)).scalar_one_or_none())


def _in_batch(request: RequestContext, number: str) -> ColumnElement[bool]:
    return totals.in_batch(request.tid, request.terminal.epoch, number)


def _answer(request: RequestContext, result: str, ours: Totals, text: str = "") -> Answer:
    """0510 has no DE 39: the result is in DE 48, once for CNY and once for foreign cards."""
    foreign = _FOREIGN[:-1] + (result if request.message.fields["48"][31:] != _FOREIGN or result == ERROR else BALANCED)
    form = _form(ours, result) + foreign
    return answers.compose(request.message, request.now, text, _48=form, _49=request.message.fields["49"])


def de48(ours: Totals) -> str:
    """DE 48 of a closed batch: what the host counts, in agreement."""
    return _form(ours, BALANCED) + _FOREIGN[:-1] + BALANCED


def _form(sums: Totals, result: str) -> str:
    """31 digits of DE 48: debit amount and count, credit amount and count, result. Of longer numbers the last digits."""
    debit, count, credit, backs = sums
    return f"{debit % 10**12:012}{count % 1000:03}{credit % 10**12:012}{backs % 1000:03}{result}"
