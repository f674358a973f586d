# SPDX-License-Identifier: MIT
"""Logins and sessions, in the database. The browser has a random token; the database has its SHA-256."""

import hashlib
import ipaddress
import secrets
import time

from sqlalchemy import Connection, delete, insert, select, update

from tools.host.books.double_entry import note
from tools.host.page import users
from tools.host.page.viewer import Viewer
from tools.host.store import upsert
from tools.host.store.ledger import Ledger
from tools.host.store.schema_users import login_failure, session, user_account

IDLE, LONGEST = 30 * 60, 12 * 3600  # seconds until a session ends: unused, and in any case
_MINUTE = 60
_FREE_OF_USER, _FREE_FROM_ADDRESS = 5, 50  # failures before the first wait
_FIRST, _MOST = 10, 900  # seconds to wait: doubled with every failure
_KEPT = 24 * 3600  # failures from addresses are forgotten after that


class TooManyFailures(Exception):
    """No login now. `wait`: seconds until the next attempt may be made."""

    def __init__(self, wait: int) -> None:
        super().__init__(f"wait {wait} s")
        self.wait = wait


def log_in(ledger: Ledger, mid: str, name: str, password: str, address: str) -> str | None:
    """Begin a session. Returns the cookie's value; None if name or password is wrong.

    Raises TooManyFailures. The attempt is counted before the password is checked, so that many at once do not help.
    """
    at = int(time.time())
    keys = [("", f"from {_network(address)}", _FREE_FROM_ADDRESS)]
    with ledger.write() as db:
        row = users.find(db, mid, name)
        if row:
            keys.append((mid, f"user {name}", _FREE_OF_USER))
        for of_mid, who, free in keys:
            _count(db, of_mid, who, free, at)
    if not users.matches(row, password):
        with ledger.write() as db:
            note(db, None, "login refused", f"{name[:40]!r} of {mid[:15]!r} from {address}")
        return None
    token = secrets.token_urlsafe(32)
    with ledger.write() as db:
        db.execute(delete(login_failure).where(login_failure.c.mid == mid, login_failure.c.who == f"user {name}"))
        _uncount(db, *keys[0][:2])
        forget_old(db, at)
        db.execute(insert(session), {"mid": mid, "hash": _hash(token), "name": name, "begun": at, "used": at})
        note(db, None, "logged in", f"{name}{f' of {mid}' if mid else ''} from {address}")
    return f"{mid}.{token}"


def look(db: Connection, cookie: str) -> tuple[Viewer, int] | None:
    """The viewer of a session and when it was last used (s since 1970); None if there is none or it has ended."""
    mid, _, token = cookie.partition(".")
    at = int(time.time())
    joined = (user_account.c.mid == session.c.mid) & (user_account.c.name == session.c.name)
    mine = (
        session.c.mid == mid,
        session.c.hash == _hash(token),
        session.c.used > at - IDLE,
        session.c.begun > at - LONGEST,
    )
    found = select(session.c.mid, session.c.name, user_account.c.role, session.c.used).join(user_account, joined)
    row = db.execute(found.where(*mine)).one_or_none()
    return (Viewer(row.mid, row.name, row.role), row.used) if row else None


def keep(ledger: Ledger, cookie: str, used: int) -> None:
    """Note that a session is in use, at most once a minute."""
    at = int(time.time())
    if at - used >= _MINUTE:
        mid, _, token = cookie.partition(".")
        with ledger.write() as db:
            db.execute(update(session).where(session.c.mid == mid, session.c.hash == _hash(token)).values(used=at))


def log_out(ledger: Ledger, cookie: str) -> None:
    """End a session."""
    mid, _, token = cookie.partition(".")
    with ledger.write() as db:
        db.execute(delete(session).where(session.c.mid == mid, session.c.hash == _hash(token)))


def form_token(cookie: str) -> str:
    """What the forms of a session carry, so that no other site can send them."""
    return hashlib.sha256(b"kassa form " + cookie.encode()).hexdigest()


def forget_old(db: Connection, at: int) -> None:
    """Remove sessions that have ended, and failures of long ago."""
    db.execute(delete(session).where((session.c.used < at - IDLE) | (session.c.begun < at - LONGEST)))
    db.execute(delete(login_failure).where(login_failure.c.mid == "", login_failure.c.next_at < at - _KEPT))


def _count(db: Connection, mid: str, who: str, free: int, at: int) -> None:
    """Count an attempt; others of the same user or address wait for this transaction. Raises TooManyFailures."""
    upsert.add(db, login_failure, [{"mid": mid, "who": who, "count": 1, "next_at": 0}], "count")
    mine = login_failure.c.mid == mid, login_failure.c.who == who
    row = db.execute(select(login_failure).where(*mine)).one()
    if row.next_at > at:
        raise TooManyFailures(row.next_at - at)
    count = int(row._mapping["count"])
    wait = min(_FIRST * 2 ** min(count - free, 10), _MOST) if count >= free else 0
    db.execute(update(login_failure).where(*mine).values(next_at=at + wait))


def _uncount(db: Connection, mid: str, who: str) -> None:
    """Take back the attempt that succeeded. Others from the same address stay counted."""
    mine = login_failure.c.mid == mid, login_failure.c.who == who
    db.execute(update(login_failure).where(*mine).values(count=login_failure.c.count - 1, next_at=0))


def _network(address: str) -> str:
    """An address as it is counted: an IPv6 customer has a /64."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(ipaddress.ip_network((known, 64), strict=False)) if known.version == 6 else str(known)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
