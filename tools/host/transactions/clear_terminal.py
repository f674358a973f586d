# SPDX-License-Identifier: MIT
"""A supervisor clears a terminal: its quarantine ends, a new epoch begins, and what is missing is written off.

Nothing is written off that the terminal may still hold: it is asked for first. What remains is listed, and has to be
named by its exact count.
"""

import datetime
import json
from typing import Any

from sqlalchemy import Connection, select, update

from tools.host.books import double_entry
from tools.host.errors import SetupError
from tools.host.store.schema import payment
from tools.host.store.schema import terminal as registered
from tools.host.store.schema_behind import asked, damaged, held, lost
from tools.host.store.schema_behind import restore as restores
from tools.host.store.upsert import put
from tools.host.transactions import chain, restore, terminals
from tools.host.transactions.terminals import Terminal
from tools.host.wire import kinds

_RECENT = datetime.timedelta(days=1)  # a terminal that was heard so recently will be heard again
_LISTED = 200
MAY_COME, WRITE_OFF = "may come", "write off"


def run(db: Connection, tid: str, by: str, write_off: int | None = None) -> dict[str, Any]:
    """Clear a terminal. `write_off`: how many records are given up.

    Returns the report: what is missing, by sequence and sum where known, and `refused` with the reason, or None; then
    `because` is MAY_COME or WRITE_OFF, or None, and `ranges` are the sequences that it is about.

    Raises SetupError if the terminal is unknown, or has neither a quarantine nor missing records.
    """
    terminal = terminals.load(db, tid)
    if terminal is None:
        raise SetupError(f"terminal {tid} is not registered")
    epoch = terminal.epoch if terminal.begun else terminal.epoch - 1
    newest = terminal.reported_sequence if terminal.begun else terminal.start
    missing = chain.gaps(db, tid, epoch, newest)
    if not terminal.quarantine and not missing:
        raise SetupError(f"terminal {tid} is not in quarantine and has no missing records")
    report = {
        "terminal": tid,
        "quarantine": terminal.quarantine,
        "count": chain.count(missing),
        "missing": missing[:_LISTED],
        "lines": _lines(db, tid, epoch, missing),
        "refused": None,
        "because": None,
        "ranges": "",
    }
    if still := _may_come(db, terminal, epoch, missing):
        if restore.current(db, tid) is None:
            restore.ask(db, terminal, epoch, newest)
        return report | {
            "because": MAY_COME,
            "ranges": chain.words(still),
            "refused": f"{tid} may still hold records {chain.words(still)}: it is asked for them when it next connects."
            " Clear it after that, or when it has not been heard for a day",
        }
    if missing and write_off != report["count"]:
        return report | {
            "because": WRITE_OFF,
            "ranges": chain.words(missing),
            "refused": f"records {chain.words(missing)} would be written off: to do that, say --write-off {report['count']}",
        }
    if not missing and write_off:
        return report | {"refused": "nothing is missing, so nothing can be written off"}
    for first, last in missing:
        row = {"tid": tid, "epoch": epoch, "first": first, "last": last}
        put(db, lost, {**row, "at": double_entry.now(), "why": f"written off by {by}"})
    if missing:
        double_entry.note(db, tid, "records written off", f"by {by}: {chain.words(missing)} of epoch {epoch}")
    now = double_entry.now()
    db.execute(update(restores).where(restores.c.tid == tid, restores.c.ended.is_(None)).values(ended=now))
    terminals.clear(db, terminal, by, f"{datetime.date.today()}")
    return report


def words(report: dict[str, Any]) -> str:
    """The report for people."""
    lines = [f"{report['count']} records of {report['terminal']} are missing here"] if report["count"] else []
    lines += report["lines"]
    lines.append(report["refused"] or f"{report['terminal']} is cleared; a new epoch begins when it connects")
    return "\n".join(lines)


def _may_come(db: Connection, terminal: Terminal, epoch: int, missing: list[chain.Range]) -> list[chain.Range]:
    """What the terminal may still bring: it was heard lately, and has not yet sent everything that it holds."""
    row = db.execute(select(registered.c.heard).where(registered.c.tid == terminal.tid)).one()
    if row.heard is None or _age(row.heard) > _RECENT:
        return []
    if restore.current(db, terminal.tid) is not None:
        return missing
    mine = restores.c.tid == terminal.tid, restores.c.epoch == epoch
    last = db.execute(select(restores).where(*mine).order_by(restores.c.number.desc()).limit(1)).one_or_none()
    if last is not None and last.pending == 0 and last.newest >= terminal.reported_sequence:
        return []
    told = select(asked.c.missing).where(
        asked.c.tid == terminal.tid, asked.c.epoch == epoch, asked.c.ended.is_not(None)
    )
    for text in db.execute(told).scalars():  # an upload ended without these
        missing = chain.without(missing, [(first, last) for first, last in json.loads(text)])
    return missing


def _lines(db: Connection, tid: str, epoch: int, missing: list[chain.Range]) -> list[str]:
    """What is known of the records that are missing, held or without a final answer, one line each."""
    lines = []
    for row in db.execute(select(damaged).where(damaged.c.tid == tid, damaged.c.epoch == epoch)):
        if chain.within(missing, row.sequence, row.sequence):
            lines.append(f"a damaged record says that it is record {row.sequence}, for {_money(row.amount)}")
    waiting = held.c.tid == tid, held.c.ended.is_(None)
    for row in db.execute(select(held).where(*waiting).order_by(held.c.sequence)):
        amount = kinds.signed(row.type, row.amount)
        lines.append(f"record {row.sequence} for {_money(amount)} is held and not on the books: {row.why}")
    open_ones = payment.c.tid == tid, payment.c.state == "RECEIVED"
    for row in db.execute(select(payment).where(*open_ones).order_by(payment.c.sequence)):
        amount = kinds.signed(row.type, row.amount)
        lines.append(f"record {row.sequence} for {_money(amount)} has no final answer")
    return lines[:_LISTED]


def _money(amount: int) -> str:
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02}"


def _age(at: str) -> datetime.timedelta:
    return datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(at)
