# SPDX-License-Identifier: MIT
"""What the settlement host takes: payments per second on each database, empty and full, with pages open, and its patience.

Several terminals send windows of deferred card sales to the service, which commits each window twice (before and after
the issuer is asked) to disk. PostgreSQL runs in a folder of its own; pgbench does the statements of a payment there, one
payment a commit, in the same run.
"""

import asyncio
import sqlite3
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tools.bench.figures import show
from tools.bench.host_payments import Till
from tools.host.wire.message import Message
from tools.sim.host import DEMO, Host
from tools.sim.postgres import Server, lacking, program

PAYMENTS, TERMINALS, WINDOW = 1200, 4, 8
MANY = 1_000_000
_LOCKED_S = 0.2  # how long another process holds the write lock at a time
_LOCKS = 10
_CLIENTS, _SECONDS = 4, 4
_ROUNDS = 5
_TERMINAL = (
    "INSERT INTO terminal (tid, mid, ikid, bdk_id, epoch, batch, message_mark, reported_sequence, reported_tag) "
    "VALUES (%s, 'M', '', '', 1, 1, 0, 0, '')"
)
_SCRIPT = Path(__file__).with_name("host_payment.sql")


def host() -> dict[str, float]:
    """All figures of the host. Those of PostgreSQL are left out where it is not installed."""
    with tempfile.TemporaryDirectory(prefix="kassa-host-") as folder:
        return _sqlite(Path(folder)) | _postgres(Path(folder))


def _sqlite(folder: Path) -> dict[str, float]:
    empty, at_1e6, with_pages = [], [], []
    with _host(folder / "empty") as one, _host(folder / "full") as full:
        _fill(folder / "full" / "host.db", MANY)
        for run in range(_ROUNDS):  # one after the other, so that the machine's other work is the same for all
            empty.append(_run(one, 3 * run))
            at_1e6.append(_run(full, 3 * run + 1) / empty[-1])
            with _pages(one):
                with_pages.append(_run(one, 3 * run + 2) / empty[-1])
        slow = _patience(one, folder / "empty" / "host.db")
    return {
        "host_payments_per_s_sqlite": statistics.median(empty),
        "host_rate_at_1e6": statistics.median(at_1e6),
        "host_rate_with_pages": statistics.median(with_pages),
        "host_answer_p99_locked_ms": slow,
    }


def _postgres(folder: Path) -> dict[str, float]:
    if lacking():
        return {}
    server = Server(durable=True)
    try:
        with _host(folder / "bench", server.create("bench")):
            pass
        _prepare(server)
        rates, commits = [], []
        with _host(folder / "pg", server.create("host")) as one:
            for run in range(_ROUNDS):
                rates.append(_run(one, run))
                commits.append(_pgbench(server))
    finally:
        server.close()
    ratios = [rate / commit for rate, commit in zip(rates, commits, strict=True)]
    return {
        "host_payments_per_s_postgres": statistics.median(rates),
        "pg_commits_per_s": statistics.median(commits),
        "host_pg_ratio": statistics.median(ratios),
    }


@contextmanager
def _host(home: Path, db: str | None = None) -> Iterator[Host]:
    with Host(home, db=db) as host:
        yield host


def _run(host: Host, part: int) -> float:
    """Payments per second. `part`: numbers the terminals of this run."""
    tills = [Till(1 + part * TERMINALS + at) for at in range(TERMINALS)]
    for till in tills:
        host.register(till.terminal.tid, till.terminal.mid, till.terminal.ikid.hex())
    messages = [list(till.sales(PAYMENTS // TERMINALS)) for till in tills]
    start = time.perf_counter()
    asyncio.run_coroutine_threadsafe(_all(host, messages), host._loop).result()
    return PAYMENTS / (time.perf_counter() - start)


async def _all(host: Host, messages: list[list[Message]]) -> None:
    await asyncio.gather(*(_one(host, own) for own in messages))


async def _one(host: Host, messages: list[Message]) -> None:
    for at in range(0, len(messages), WINDOW):
        replies = await host.service.answer(messages[at : at + WINDOW])
        if [fields["39"] for _, fields in replies] != ["00"] * len(messages[at : at + WINDOW]):
            raise RuntimeError("a payment was not approved")
        for reply in replies:
            host.service.envelope(reply)


@contextmanager
def _pages(host: Host) -> Iterator[None]:
    """Three people look at pages all the time."""
    stop, url = threading.Event(), f"http://127.0.0.1:{host.page_port}"
    form = {"name": DEMO, "merchant": "", "password": host.new_login()}

    def look() -> None:
        with httpx.Client(base_url=url, headers={"origin": url}, follow_redirects=True) as client:
            client.post("/login", data=form).raise_for_status()
            while not stop.wait(1):
                for page in ("/", "/payments"):
                    client.get(page).raise_for_status()

    people = [threading.Thread(target=look) for _ in range(3)]
    for person in people:
        person.start()
    yield
    stop.set()
    for person in people:
        person.join()


def _patience(host: Host, database: Path) -> float:
    """The 99th percentile of the time to an answer, ms, while another process takes the write lock again and again."""
    till = Till(100)
    host.register(till.terminal.tid, till.terminal.mid, till.terminal.ikid.hex())
    done = threading.Event()

    def lock() -> None:
        other = sqlite3.connect(database, isolation_level=None, timeout=30)
        for _ in range(_LOCKS):
            other.execute("BEGIN IMMEDIATE")
            time.sleep(_LOCKED_S)
            other.execute("COMMIT")
            time.sleep(_LOCKED_S)
        other.close()
        done.set()

    thread = threading.Thread(target=lock)
    thread.start()
    times = []
    while not done.is_set():
        start = time.perf_counter()
        asyncio.run_coroutine_threadsafe(_one(host, list(till.sales(1))), host._loop).result()
        times.append((time.perf_counter() - start) * 1000)
    thread.join()
    return statistics.quantiles(times, n=100)[98]


def _fill(database: Path, payments: int) -> None:
    """Copy one payment's rows until there are so many, straight in the database."""
    with sqlite3.connect(database) as db:
        db.execute("PRAGMA synchronous=OFF")
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {payments})"
        old = "'OLD' || (i % 500)", "printf('%032x', i)"
        db.execute(f"""INSERT INTO payment (tid, uid, mid, number, epoch, sequence, batch, settled_in, stan, type, amount,
            currency, first6, last4, pan_token, atc, taken_at, header, body_hash, body_counter, state, quarantined, worth,
            code, rrn, received, answered, day) {numbers} SELECT {old[0]}, {old[1]}, '898000000000001', i, 1, i,
            printf('%06d', i / 500), printf('%06d', i / 500), printf('%06d', i % 999999), '22', 100, '0156', '476173',
            '0011', printf('%032x', i % 9999), i % 65536, 800000000, zeroblob(64), printf('%064x', i), i, 'APPROVED', 0,
            100, '00', printf('%012d', i), '2026-01-01', '2026-01-01', '2026-01-01' FROM n""")
        db.execute(f"""INSERT INTO message (tid, class, uid, epoch, batch, stan, hash, answer) {numbers}
            SELECT {old[0]}, 'request', {old[1]}, 1, printf('%06d', i / 500), printf('%06d', i % 999999),
            printf('%064x', i), '{{}}' FROM n""")
        db.execute(f"""INSERT INTO entry (tid, uid, account, reason, mid, amount, at, day) {numbers}
            SELECT {old[0]}, {old[1]}, 'card receivable', 'sale', '898000000000001', 100, '2026-01-01', '2026-01-01'
            FROM n""")
        db.execute(f"""INSERT INTO link {numbers} SELECT {old[0]}, 1, i, {old[1]}, printf('%016x', i), printf('%016x', i),
            printf('%016x', i), 'payment', 'holds' FROM n""")


def _prepare(server: Server) -> None:
    import psycopg

    with psycopg.connect(server.url("bench"), autocommit=True) as db:
        for number in range(1, 5):
            db.execute(_TERMINAL, (f"T{number}",))


def _pgbench(server: Server) -> float:
    """Commits of whole payments per second, by PostgreSQL's own tool, with the same number of connections."""
    command = [program("pgbench"), "-n", "-h", server.folder, "-U", "kassa", "-c", _CLIENTS, "-j", _CLIENTS,
               "-T", _SECONDS, "-f", _SCRIPT, "bench"]  # fmt: skip
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120, check=True)
    line = next(line for line in run.stdout.splitlines() if line.startswith("tps"))
    return float(line.split()[2])


if __name__ == "__main__":
    show({name: round(value, 3) for name, value in host().items()})
