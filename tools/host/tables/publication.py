# SPDX-License-Identifier: MIT
"""The tables a terminal fetches: parameters, scheme keys, applications, blocked BINs.

Each has a version. The processing request in the header of an answer tells the terminal to fetch an outdated table.
"""

import json
import re
import struct
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, func, select

from tools.host.books.double_entry import note, now
from tools.host.errors import SetupError
from tools.host.store import lock, upsert
from tools.host.store.ledger import Ledger
from tools.host.store.schema import published, terminal
from tools.host.tables import payment_numbers, renewal, staff_acts
from tools.host.tables.card_entries import Application, Authority, Revocation
from tools.host.transactions import terminals
from tools.host.transactions.request_context import RequestContext
from tools.host.wire import answers
from tools.host.wire.answers import Answer
from tools.host.wire.message import Message

PARAMETERS, STATUS, CA_KEYS, APPLICATIONS, BLOCKED_BINS, SIGN_OFF = "360", "362", "370", "380", "390", "002"
_REQUESTS = {PARAMETERS: 1, CA_KEYS: 4, APPLICATIONS: 5, BLOCKED_BINS: 7}  # nibble 6 of the header
_STATUS_WANTED = 2
_PIECE = 192  # bytes per answer, a multiple of 16
_MOST = 8192
_FORM = 1


class Tables:
    """Versioned tables by 60.3, in the database. The next answer to each terminal announces a new version.

    A table is for all merchants, or for one; a merchant's own table goes before the one for all.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self.ask_status = False

    def publish(self, network: str, data: bytes, by: str = "", merchant: str = "") -> int:
        """Store a new version of a table; returns its number. `by`: for the audit. `merchant`: DE 42, "" = all.

        Raises SetupError for an unknown table or an impossible size.
        """
        if network not in _REQUESTS or not 0 < len(data) <= _MOST:
            raise SetupError(f"no table {network}, or its data are empty or longer than {_MOST} bytes")
        with self._ledger.write() as db:
            lock.one_at_a_time(db, lock.PUBLISHING)
            newest = select(func.coalesce(func.max(published.c.version), 0)).where(published.c.network == network)
            version = int(db.execute(newest).scalar_one()) + 1
            row = {"mid": merchant, "network": network, "version": version, "data": data, "at": now(), "by": by}
            db.execute(published.insert(), row)
            of = f" of {merchant}" if merchant else ""
            note(db, None, "table published", f"{network}{of}, version {version}, {len(data)} bytes, by {by or '?'}")
        return version

    def take_over(self, path: Path) -> None:
        """Take over tables.json of a host of version 0.1, once. Raises SetupError if it is damaged."""
        try:
            stored = json.loads(path.read_text())
            rows = [
                {"mid": "", "network": name, "version": int(row["version"]), "data": bytes.fromhex(row["data"]),
                 "at": now(), "by": path.name}
                for name, row in stored.items()
            ]  # fmt: skip
        except FileNotFoundError:
            return
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise SetupError(f"{path}: not the tables of a host; remove it to start without tables") from None
        with self._ledger.write() as db:
            upsert.insert_new(db, published, rows)
        path.rename(path.with_suffix(".taken-over"))

    def wanted(self, db: Connection, tid: str) -> int:
        """The processing request for a terminal; 0 = none."""
        row = db.execute(select(terminal.c.mid, terminal.c.versions).where(terminal.c.tid == tid)).one()
        known = json.loads(row.versions) if row.versions else {}
        newest = _newest(db, row.mid)
        for network, request in _REQUESTS.items():
            if newest.get(network, 0) != known.get(network, 0):
                return request
        if self.ask_status:
            return _STATUS_WANTED
        return renewal.REQUEST if renewal.offered(db, tid) else 0


def _newest(db: Connection, mid: str) -> dict[str, int]:
    """The version of each table that a merchant's terminals should have."""
    all_or_own = select(published.c.network, published.c.mid, func.max(published.c.version).label("version"))
    rows = db.execute(
        all_or_own.where(published.c.mid.in_(["", mid])).group_by(published.c.network, published.c.mid)
    ).all()
    return {row.network: row.version for row in sorted(rows, key=lambda row: row.mid)}  # its own comes last


def _table(db: Connection, mid: str, network: str) -> tuple[int, bytes]:
    """Version and data of a table for a merchant's terminals."""
    version = _newest(db, mid).get(network, 0)
    of = published.c.network == network, published.c.version == version, published.c.mid.in_(["", mid])
    return version, db.execute(select(published.c.data).where(*of)).scalar() or b""


def _piece(version: int, data: bytes, have: int, at: int) -> bytes:
    """DE 62 of the answer: form, version, size, offset, piece. Size 0 if `have` is the newest version."""
    if not data or have == version or at > len(data):
        return struct.pack(">BIHH", _FORM, version, 0, 0)
    return struct.pack(">BIHH", _FORM, version, len(data), at) + data[at : at + _PIECE]


def known(db: Connection, tid: str) -> dict[str, int]:
    """The table versions a terminal last reported."""
    row = db.execute(select(terminal.c.versions).where(terminal.c.tid == tid)).scalar_one_or_none()
    return json.loads(row) if row else {}


def handle(request: RequestContext, tables: Tables) -> Answer:
    """The answer to a table fetch (0800), or to another management message (0820)."""
    message = request.message
    network = message.fields["60"][8:11]
    if message.mti == "0800":
        return _fetch(request, network)
    if network == STATUS:
        tables.ask_status = False
        request.alarm(f"status {message.body.hex()}")
    elif network == staff_acts.NETWORK:
        staff_acts.store(request)
    elif network == payment_numbers.NETWORK:
        return payment_numbers.find(request)
    elif network == SIGN_OFF:
        request.alarm("signed off")
    return request.answer(answers.APPROVED)


def _fetch(request: RequestContext, network: str) -> Answer:
    _, have, at = struct.unpack(">BIH", request.message.body)
    if network == renewal.NETWORK:
        version, data = renewal.fetched(request.db, request.tid, have)
        return request.answer(answers.APPROVED, _62=_piece(version, data, have, at).hex().upper())
    versions = known(request.db, request.tid)
    if versions.get(network, 0) != have:
        versions[network] = have
        terminals.change(request.db, request.terminal, versions=json.dumps(versions))
    version, data = _table(request.db, request.terminal.mid, network)
    return request.answer(answers.APPROVED, _62=_piece(version, data, have, at).hex().upper())


def is_fetch(message: Message) -> bool:
    return message.mti == "0800" and message.fields["60"][8:11] in (*_REQUESTS, renewal.NETWORK)


def parameters(values: dict[int, bytes]) -> bytes:
    """Table 360, from settings by id (docs/keys.md)."""
    return b"".join(bytes((name,)) + len(value).to_bytes(2, "big") + value for name, value in values.items())


def ca_keys(entries: Iterable[Authority | Revocation]) -> bytes:
    """Table 370, from scheme keys and revocations."""
    return b"".join(entry.pack(b"") for entry in entries)


def applications(rows: Iterable[Application]) -> bytes:
    """Table 380: accepted applications and their limits. The first row whose AID is a prefix of the card's wins."""
    return b"".join(row.pack(b"") for row in rows)


def blocked_bins(bins: Iterable[str]) -> bytes:
    """Table 390: card number prefixes (1 to 19 digits) that need the host. Raises ValueError for any other prefix."""
    bins = list(bins)
    for digits in bins:
        if not re.fullmatch("[0-9]{1,19}", digits):
            raise ValueError(f"{digits!r} is not a card number prefix")
    bins = bins or ["F" * 19]  # a table cannot be empty; no card has this prefix
    return b"".join(b"\x04" + bytes((len(begin), 0, 0)) + bytes.fromhex(begin.ljust(24, "F")) for begin in bins)
