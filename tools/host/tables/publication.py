# SPDX-License-Identifier: MIT
"""The tables a terminal fetches: parameters, scheme keys, applications, blocked BINs. Stored in tables.json.

Each has a version. The processing request in the header of an answer tells the terminal to fetch an outdated table.
"""

import contextlib
import json
import re
import struct
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, select

from tools.host import private_files
from tools.host.errors import SetupError
from tools.host.store.schema import terminal
from tools.host.tables import renewal
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
    """Versioned tables by 60.3. `publish` stores a new version; the next answer to each terminal announces it."""

    def __init__(self, home: Path) -> None:
        self._path = home / "tables.json"
        self._tables: dict[str, tuple[int, bytes]] = {}
        self._changed = 0  # modification time of the file when last read
        self.ask_status = False
        self._read()

    def publish(self, network: str, data: bytes) -> int:
        """Store a new version of a table; returns its number. Raises SetupError: bad table, bad size, bad file."""
        if network not in _REQUESTS or not 0 < len(data) <= _MOST:
            raise SetupError(f"no table {network}, or its data are empty or longer than {_MOST} bytes")
        self._read()
        version = self._tables.get(network, (0, b""))[0] + 1
        self._tables[network] = version, data
        rows = {name: {"version": number, "data": raw.hex()} for name, (number, raw) in self._tables.items()}
        private_files.write(self._path, json.dumps(rows).encode())
        return version

    def wanted(self, known: dict[str, int]) -> int:
        """The processing request for a terminal with these versions; 0 = none. Rereads a changed tables.json."""
        with contextlib.suppress(SetupError):  # edited by hand: keep the last valid tables
            self._read()
        for network, request in _REQUESTS.items():
            if self._tables.get(network, (0, b""))[0] != known.get(network, 0):
                return request
        return _STATUS_WANTED if self.ask_status else 0

    def _read(self) -> None:
        """Read tables.json if it changed. Raises SetupError if it has disappeared or is invalid."""
        if not self._changed and not self._path.exists():
            return
        try:
            changed = self._path.stat().st_mtime_ns
            if changed == self._changed:
                return
            stored = json.loads(self._path.read_text())
            self._tables = {name: (int(row["version"]), bytes.fromhex(row["data"])) for name, row in stored.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise SetupError('tables.json must hold {"360": {"version": n, "data": hex}, ...}') from None
        self._changed = changed

    def piece(self, network: str, have: int, at: int) -> bytes:
        """DE 62 of the answer: form, version, size, offset, piece. Size 0 if `have` is the newest version."""
        version, data = self._tables.get(network, (0, b""))
        return _piece(version, data, have, at)


def wanted(tables: Tables, db: Connection, tid: str) -> int:
    """The processing request for a terminal; 0 = none."""
    return tables.wanted(known(db, tid)) or (renewal.REQUEST if renewal.offered(db, tid) else 0)


def _piece(version: int, data: bytes, have: int, at: int) -> bytes:
    if not data or have == version or at > len(data):
        return struct.pack(">BIHH", _FORM, version, 0, 0)
    return struct.pack(">BIHH", _FORM, version, len(data), at) + data[at : at + _PIECE]


def known(db: Connection, tid: str) -> dict[str, int]:
    """The table versions a terminal last reported."""
    row = db.execute(select(terminal.c.versions).where(terminal.c.tid == tid)).scalar_one_or_none()
    return json.loads(row) if row else {}


def handle(request: RequestContext, tables: Tables) -> Answer:
    """The answer to a table fetch (0800), or to a status, echo test or sign-off (0820)."""
    message = request.message
    network = message.fields["60"][8:11]
    if message.mti == "0800":
        return _fetch(request, tables, network)
    if network == STATUS:
        tables.ask_status = False
        request.alarm(f"status {message.body.hex()}")
    elif network == SIGN_OFF:
        request.alarm("signed off")
    return request.answer(answers.APPROVED)


def _fetch(request: RequestContext, tables: Tables, network: str) -> Answer:
    _, have, at = struct.unpack(">BIH", request.message.body)
    if network == renewal.NETWORK:
        version, data = renewal.fetched(request.db, request.tid, have)
        return request.answer(answers.APPROVED, _62=_piece(version, data, have, at).hex().upper())
    versions = known(request.db, request.tid)
    if versions.get(network, 0) != have:
        versions[network] = have
        terminals.change(request.db, request.terminal, versions=json.dumps(versions))
    return request.answer(answers.APPROVED, _62=tables.piece(network, have, at).hex().upper())


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
