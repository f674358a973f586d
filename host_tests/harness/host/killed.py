# SPDX-License-Identifier: MIT
"""A host that is killed before each of its statements in turn: KIND HOME DATABASES STEP. Prints one JSON line a kill.

Each time a new process answers the messages of one kind on a copy of a database, and gets SIGKILL before statement N. Then
another one starts on the same database, and the same messages come again. The line has what it answered, and the books.
DATABASES: "sqlite", or the URL of a PostgreSQL server's database "{}". STEP: 1, or n for every n-th statement.
"""

import json
import os
import signal
import sqlite3
import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Engine, event

from host_tests.harness.host.card import Card
from host_tests.harness.host.serve import NOON
from host_tests.harness.host.terminal import IKID, Record, Terminal, element, parse
from tools.host.books import double_entry
from tools.host.wire.codec import split
from tools.sim.host import Host

_MOST = 200  # statements


def main() -> None:
    kind, home, databases, step = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    before, messages = _messages(kind)
    copies = _Files(home) if databases == "sqlite" else _Databases(databases)
    _child(partial(_answer, home, copies.first, before))
    said = home / "said"
    for number in range(1, _MOST, step):
        where = copies.another(number)
        ended = _child(partial(_answer, home, where, messages, number))
        _child(partial(_write, said, home, where, messages))
        print(json.dumps({"killed": ended == signal.SIGKILL, **json.loads(said.read_text())}), flush=True)
        copies.drop(number)
        if ended == 0:
            return
    raise SystemExit(f"more than {_MOST} statements")


def _write(said: Path, home: Path, where: Path | str, frames: list[bytes]) -> None:
    said.write_text(json.dumps(_answer(home, where, frames)))


class _Files:
    """Copies of an SQLite database."""

    def __init__(self, home: Path) -> None:
        self.first = home / "first.db"

    def another(self, number: int) -> Path:
        copy = self.first.with_name(f"{number}.db")
        with closing(sqlite3.connect(self.first)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return copy

    def drop(self, number: int) -> None:
        pass


class _Databases:
    """Copies of a PostgreSQL database. `url`: of the server, with "{}" for the name of the database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._name = f"killed{os.getpid()}"
        self._do(f'CREATE DATABASE "{self._name}"')
        self.first = url.format(self._name)

    def another(self, number: int) -> str:
        self._do(f'CREATE DATABASE "{self._name}n{number}" TEMPLATE "{self._name}"')
        return self._url.format(f"{self._name}n{number}")

    def drop(self, number: int) -> None:
        self._do(f'DROP DATABASE "{self._name}n{number}" WITH (FORCE)')

    def _do(self, statement: str) -> None:
        with psycopg.connect(self._url.format("postgres"), autocommit=True) as db:
            db.execute(statement)


def _messages(kind: str) -> tuple[list[bytes], list[bytes]]:
    """What comes before, and what is answered when the host is killed."""
    till, card = Terminal(), Card()
    record = till.record(1250, card.tap(1250), kind=0x52)
    before = [till.handshake()]
    if kind == "sale":
        return before, [till.sale(record)]
    if kind == "window":
        rest = [till.sale(till.record(100, card.tap(100)), deferred=True) for _ in range(2)]
        return before, [till.sale(record), *rest, till.cash(till.record(800, type=0x71))]
    before.append(till.sale(record))
    if kind == "reversal":
        return before, [till.reversal(record)]
    if kind == "void":
        return before, [_void(till, record)]
    if kind == "close":
        return before, [till.close(1250, 1)]
    raise SystemExit(f"unknown: {kind}")


def _void(till: Terminal, sale: Record) -> bytes:
    more = {"at_42": b"\0", "at_48": sale.raw[48:53], "at_54": b"\0\1"}
    record = till.record(1250, b"\xdf\x02\x10" + sale.uid, kind=0x52, type=0x23, **more)
    named = {"de_3": b"\x20\0\0", "de_22": b"\0\x20", "de_61": element(61, sale.batch + sale.stan, 12)}
    return till.payment(0x0200, "23", record, **named)


def _answer(home: Path, where: Path | str, frames: list[bytes], die_at: int = 0) -> dict[str, Any]:
    """Answer frames on a new host, as after a start. `die_at`: the statement that is not reached; 0 = none."""
    host = Host(home, db=where, now=lambda: NOON)
    host.register("KASSA001", "898000000000001", IKID.hex())
    host.ledger.let_go()  # as at a start
    if die_at:
        _die_before(die_at)
    else:
        _forget_keys(host)
    service = host.service
    messages = [service.authenticated(frame) for frame in split(bytearray(b"".join(frames)))]
    replies = host._loop.run_until_complete(service.answer([message for message in messages if message]))
    codes = [parse(service.envelope(reply)[2:]).elements.get(39, b"").decode() for reply in replies]
    host._loop.run_until_complete(service.messenger.deliver())
    if die_at:
        return {}
    with host.ledger.read() as db:
        accounts = {name: amount for name, amount in double_entry.balances(db).items() if amount}
        unbalanced = double_entry.unbalanced(db)
    states = sorted(row["state"] for row in host.view()["payments"])
    closed = [row["number"] for row in host.view()["batches"] if row["state"] == "closed"]
    host.stop()
    return {"codes": codes, "accounts": accounts, "unbalanced": unbalanced, "states": states, "closed": closed}


def _forget_keys(host: Host) -> None:
    """Let the same frames count as fresh: a terminal would send them again with other message keys."""
    with host.ledger.write() as db:
        db.exec_driver_sql("UPDATE terminal SET message_mark = 0")


def _die_before(number: int) -> None:
    left = [number]

    @event.listens_for(Engine, "before_cursor_execute")
    def count(*_: Any) -> None:
        left[0] -= 1
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(Engine, "commit")
    def commit(*_: Any) -> None:
        count()


def _child(work: Any) -> int:
    """Do something in a process of its own; the signal that ended it, or its exit status."""
    child = os.fork()
    if not child:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    if os.WIFEXITED(ended) and os.WEXITSTATUS(ended):
        raise SystemExit("a child failed")
    return os.WTERMSIG(ended) if os.WIFSIGNALED(ended) else 0


if __name__ == "__main__":
    main()
