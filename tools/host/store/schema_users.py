# SPDX-License-Identifier: MIT
"""The people who may see the pages, their sessions, and failed logins. `mid`: their merchant; "" = the host's own."""

from sqlalchemy import CheckConstraint, Index, PrimaryKeyConstraint

from tools.host.store.schema import new_table, whole, words

user_account = new_table(
    "user_account",
    words("mid"),
    words("name"),
    words("role"),
    words("password"),  # argon2id, with its parameters
    words("at"),
    words("by"),  # who added the user
    PrimaryKeyConstraint("mid", "name"),
    CheckConstraint("role IN ('merchant', 'operator', 'auditor', 'administrator')", name="user_account_role"),
    CheckConstraint("(role = 'merchant') = (mid <> '')", name="user_account_merchant"),
)

session = new_table(
    "session",
    words("mid"),
    words("hash"),  # SHA-256 of the token; the token itself is only in the browser
    words("name"),
    whole("begun"),  # s since 1970
    whole("used"),  # s since 1970, to the minute
    PrimaryKeyConstraint("mid", "hash"),
    Index("session_user", "mid", "name"),
)

login_failure = new_table(
    "login_failure",
    words("mid"),
    words("who"),  # "user NAME", or "from ADDRESS" with mid ""
    whole("count"),  # since the last success
    whole("next_at"),  # s since 1970: no attempt before
    PrimaryKeyConstraint("mid", "who"),
)
