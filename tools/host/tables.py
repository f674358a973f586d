# SPDX-License-Identifier: MIT
"""The tables a terminal fetches: parameters, schemes' keys, applications, blocked BINs; each with a version, in tables.json.

The host asks for what is out of date by the processing request in the header of its answers.
"""

import contextlib
import json
import re
import struct
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import Connection, select

from tools.host import answers, terminals
from tools.host.answers import Answer
from tools.host.case import Case
from tools.host.errors import SetupError
from tools.host.message import Message
from tools.host.schema import terminal
from tools.provision.authorities import Application, Authority, Revocation

PARAMETERS, STATUS, CA_KEYS, APPLICATIONS, BLOCKED_BINS, SIGN_OFF = "360", "362", "370", "380", "390", "002"
_REQUESTS = {PARAMETERS: 1, CA_KEYS: 4, APPLICATIONS: 5, BLOCKED_BINS: 7}  # nibble 6 of the header
_STATUS_WANTED = 2
_PIECE = 192  # bytes in one answer, whole sixteens
_MOST = 8192
_FORM = 1


class Tables:
    """Versioned tables by 60.3. `publish` makes a new version; terminals hear of it with their next answer."""

    def __init__(self, home: Path) -> None:
        self._path = home / "tables.json"
        self._tables: dict[str, tuple[int, bytes]] = {}
        self._changed = 0  # when the file was, as it was last read
        self.ask_status = False
        self._read()

    def publish(self, network: str, data: bytes) -> int:
        """A new version of a table; returns its number. Raises SetupError when it is none of ours, too long, or the file broken."""
        if network not in _REQUESTS or not 0 < len(data) <= _MOST:
            raise SetupError(f"no table {network}, empty, or longer than {_MOST} bytes")
        self._read()
        version = self._tables.get(network, (0, b""))[0] + 1
        self._tables[network] = version, data
        rows = {name: {"version": number, "data": raw.hex()} for name, (number, raw) in self._tables.items()}
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(rows))
        new.replace(self._path)
        return version

    def wanted(self, known: dict[str, int]) -> int:
        """The processing request for a terminal that has these versions; 0 = none. Sees what another process published."""
        with contextlib.suppress(SetupError):  # edited by hand meanwhile: the last good ones stay
            self._read()
        for network, request in _REQUESTS.items():
            if self._tables.get(network, (0, b""))[0] != known.get(network, 0):
                return request
        return _STATUS_WANTED if self.ask_status else 0

    def _read(self) -> None:
        """Raises SetupError for a file that is gone since, or holds something else."""
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
        """DE 62 down: form, version, size, where the piece begins, the piece; size 0 when `have` is the newest."""
        version, data = self._tables.get(network, (0, b""))
        if not data or have == version or at > len(data):
            return struct.pack(">BIHH", _FORM, version, 0, 0)
        return struct.pack(">BIHH", _FORM, version, len(data), at) + data[at : at + _PIECE]


def known(db: Connection, tid: str) -> dict[str, int]:
    """The versions a terminal last told."""
    row = db.execute(select(terminal.c.versions).where(terminal.c.tid == tid)).scalar_one_or_none()
    return json.loads(row) if row else {}


def handle(case: Case, tables: Tables) -> Answer:
    """The answer to a fetch (0800), a status, an echo test or a sign-off (0820)."""
    message = case.message
    network = message.fields["60"][8:11]
    if message.mti == "0800":
        return _fetch(case, tables, network)
    if network == STATUS:
        tables.ask_status = False
        case.alarm(f"status {message.body.hex()}")
    elif network == SIGN_OFF:
        case.alarm("signed off")
    return case.answer(answers.APPROVED)


def _fetch(case: Case, tables: Tables, network: str) -> Answer:
    _, have, at = struct.unpack(">BIH", case.message.body)
    versions = known(case.db, case.tid)
    if versions.get(network, 0) != have:
        versions[network] = have
        terminals.change(case.db, case.terminal, versions=json.dumps(versions))
    return case.answer(answers.APPROVED, _62=tables.piece(network, have, at).hex().upper())


def is_fetch(message: Message) -> bool:
    return message.mti == "0800" and message.fields["60"][8:11] in _REQUESTS


def parameters(values: dict[int, bytes]) -> bytes:
    """Table 360 from settings by id (docs/keys.md)."""
    return b"".join(bytes((name,)) + len(value).to_bytes(2, "big") + value for name, value in values.items())


def ca_keys(entries: Iterable[Authority | Revocation]) -> bytes:
    """Table 370."""
    return b"".join(entry.pack(b"") for entry in entries)


def applications(rows: Iterable[Application]) -> bytes:
    """Table 380: the applications taken, and what holds for each. The first row whose AID a card's begins with counts."""
    return b"".join(row.pack(b"") for row in rows)


def blocked_bins(bins: Iterable[str]) -> bytes:
    """Table 390: cards whose numbers begin so are not taken without the host. 1 to 19 digits each, or ValueError is raised."""
    bins = list(bins)
    for digits in bins:
        if not re.fullmatch("[0-9]{1,19}", digits):
            raise ValueError(f"{digits!r} begins no card number")
    bins = bins or ["F" * 19]  # no table is empty: no card begins so
    return b"".join(b"\x04" + bytes((len(begin), 0, 0)) + bytes.fromhex(begin.ljust(24, "F")) for begin in bins)
