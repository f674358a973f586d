# SPDX-License-Identifier: MIT
"""The initial keys that terminals have, had and will have; and certificates that wait to be fetched by their terminals.

The keys themselves are derived when they are needed.
"""

from sqlalchemy import Column, Integer, LargeBinary, Table, Text

from tools.host.store.schema import metadata

terminal_key = Table(
    "terminal_key",
    metadata,
    Column("tid", Text, primary_key=True),
    Column("ikid", Text, primary_key=True),  # initial key id, hex
    Column("since", Text, nullable=True),  # when it came into use; NULL: not used yet
    Column("message_mark", Integer, nullable=False, default=0),  # terminal.message_mark when it went out of use
    Column("other_device", Integer, nullable=False, default=0),  # 1: of another device than the key before it
    sqlite_strict=True,
)

new_certificate = Table(
    "new_certificate",  # of a terminal; the row goes once the terminal has it
    metadata,
    Column("tid", Text, primary_key=True),
    Column("der", LargeBinary, nullable=False),
    Column("offered", Text, nullable=False),  # since when
    sqlite_strict=True,
)
