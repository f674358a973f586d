# SPDX-License-Identifier: MIT
"""The people who may see the pages: added, removed, and checked by their passwords (Argon2id, RFC 9106)."""

import secrets
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, update

from tools.host.books.double_entry import note, now
from tools.host.errors import SetupError
from tools.host.page.viewer import MERCHANT, ROLES
from tools.host.store.schema_users import login_failure, session, user_account

SHORTEST, LONGEST = 12, 200  # characters of a password
_NAME = 40
_MID = 15
_hasher = PasswordHasher()
_NOBODY = _hasher.hash(secrets.token_hex(16))  # so that an unknown name takes as long as a wrong password


def find(db: Connection, mid: str, name: str) -> Row[Any] | None:
    """A user's row, or None."""
    return db.execute(select(user_account).where(*_key(mid, name))).one_or_none()


def everyone(db: Connection, most: int = 500) -> list[Row[Any]]:
    """The users, by merchant and name."""
    order = user_account.c.mid, user_account.c.name
    return list(db.execute(select(user_account).order_by(*order).limit(most)).all())


def add(db: Connection, mid: str, name: str, role: str, password: str, by: str) -> None:
    """Add a user. `mid`: DE 42 of a merchant, "" for the other roles. Raises SetupError."""
    if role not in ROLES:
        raise SetupError(f"no role {role}: {', '.join(ROLES)}")
    if (role == MERCHANT) != bool(mid) or mid and len(mid) != _MID:
        raise SetupError(f"a user with the role merchant has a merchant's number ({_MID} characters), others have none")
    if not 0 < len(name) <= _NAME or name != name.strip() or not name.isprintable():
        raise SetupError(f"a name has 1 to {_NAME} printable characters")
    if find(db, mid, name):
        raise SetupError(f"there is a user {name} already")
    values = {"mid": mid, "name": name, "role": role, "password": _hashed(password), "at": now(), "by": by}
    db.execute(insert(user_account), values)
    note(db, None, "user added", f"{_who(mid, name)}, {role}, by {by}")


def remove(db: Connection, mid: str, name: str, by: str) -> None:
    """Remove a user and end their sessions. Raises SetupError if there is none."""
    if not db.execute(delete(user_account).where(*_key(mid, name))).rowcount:
        raise SetupError(f"there is no user {_who(mid, name)}")
    _forget(db, mid, name)
    note(db, None, "user removed", f"{_who(mid, name)}, by {by}")


def set_password(db: Connection, mid: str, name: str, password: str, by: str) -> None:
    """Give a user another password and end their sessions. Raises SetupError."""
    changed = update(user_account).where(*_key(mid, name)).values(password=_hashed(password))
    if not db.execute(changed).rowcount:
        raise SetupError(f"there is no user {_who(mid, name)}")
    _forget(db, mid, name)
    note(db, None, "password changed", f"{_who(mid, name)}, by {by}")


def matches(row: Row[Any] | None, password: str) -> bool:
    """Whether a password is that of a user. Takes as long for an unknown one. Uses 64 MiB while it runs."""
    try:
        return _hasher.verify(row.password if row else _NOBODY, password[:LONGEST]) and row is not None
    except (VerificationError, InvalidHashError):
        return False


def _hashed(password: str) -> str:
    if not SHORTEST <= len(password) <= LONGEST:
        raise SetupError(f"a password has {SHORTEST} to {LONGEST} characters")
    return _hasher.hash(password)


def _forget(db: Connection, mid: str, name: str) -> None:
    db.execute(delete(session).where(session.c.mid == mid, session.c.name == name))
    db.execute(delete(login_failure).where(login_failure.c.mid == mid, login_failure.c.who == f"user {name}"))


def _key(mid: str, name: str) -> tuple[ColumnElement[bool], ...]:
    return user_account.c.mid == mid, user_account.c.name == name


def _who(mid: str, name: str) -> str:
    return f"{name} of {mid}" if mid else name
