# SPDX-License-Identifier: MIT
"""What people decided about held payments; indexes for the pages' lists of differences, disputes and restores."""

import sqlalchemy as sa
from alembic import op

revision = "0007_decisions"
down_revision = "0006_wallets"


def upgrade() -> None:
    op.add_column("held", sa.Column("mid", sa.Text(), nullable=False, server_default=""))
    for name in ("verdict", "by", "reason", "ended"):
        op.add_column("held", sa.Column(name, sa.Text(), nullable=True))
    op.execute("UPDATE held SET mid = coalesce((SELECT t.mid FROM terminal t WHERE t.tid = held.tid), '')")
    op.execute(
        "UPDATE held SET mid = (SELECT p.mid FROM payment p WHERE p.tid = held.tid AND p.uid = held.uid)"
        " WHERE EXISTS (SELECT 1 FROM payment p WHERE p.tid = held.tid AND p.uid = held.uid)"
    )
    _index("held_open", "held", ["tid", "epoch", "sequence"], "ended IS NULL")
    _index("restore_open", "restore", ["tid"], "ended IS NULL")
    _index("statement_dispute", "statement", ["at", "mid", "posting"], "reason = 'dispute'")
    _index("statement_dispute_of", "statement", ["mid", "at", "posting"], "reason = 'dispute'")
    op.create_index("difference_in_time", "difference", ["state", "at", "mid", "subject"])
    op.create_index("difference_of", "difference", ["mid", "state", "at", "subject"])


def _index(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
