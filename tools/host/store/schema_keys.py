# SPDX-License-Identifier: MIT
"""The initial keys that terminals have, had and will have. The key itself is derived when it is needed."""

from sqlalchemy import Column, Integer, Table, Text

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
