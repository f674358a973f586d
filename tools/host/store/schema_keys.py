# SPDX-License-Identifier: MIT
"""The initial keys that terminals have, had and will have; and certificates that wait to be fetched by their terminals.

The keys themselves are derived when they are needed.
"""

from sqlalchemy import Column, LargeBinary

from tools.host.store.schema import new_table, whole, words

terminal_key = new_table(
    "terminal_key",
    words("tid", primary_key=True),
    words("ikid", primary_key=True),  # initial key id, hex
    words("since", nullable=True),  # when it came into use; NULL: not used yet
    whole("message_mark", default=0),  # terminal.message_mark when it went out of use
    Column("seen", LargeBinary, nullable=True),  # terminal.seen then
    whole("other_device", default=0),  # 1: of another device than the key before it
    words("mid", nullable=True),  # whose payments were taken under it, once it is out of use; NULL: the terminal's mid
)

new_certificate = new_table(
    "new_certificate",  # of a terminal; the row goes once the terminal has it
    words("tid", primary_key=True),
    Column("der", LargeBinary, nullable=False),
    words("offered"),  # since when
)
