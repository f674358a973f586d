# SPDX-License-Identifier: MIT
"""Tables of the books; what payments of open batches brought moves from merchant payable to terminal clearing."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Connection

from tools.host.store.migrations import rules

revision = "0002_books"
down_revision = "0001"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_BATCHES = """
    INSERT INTO statement (mid, posting, account, reason, tid, epoch, batch, amount, at, day)
    SELECT mid, posting, account, 'batch closed', tid, epoch, number, SUM(amount), closed, substr(closed, 1, 10)
    FROM (
        SELECT e.mid, 'batch ' || b.tid || ' ' || b.epoch || ' ' || b.number AS posting, {account} AS account, b.tid,
            b.epoch, b.number, {sign} e.amount AS amount, COALESCE(b.closed, b.opened) AS closed
        FROM entry e JOIN payment p ON p.tid = e.tid AND p.uid = e.uid
            JOIN batch b ON b.tid = p.tid AND b.epoch = p.epoch AND b.number = p.settled_in
        WHERE e.account = 'terminal clearing' AND b.state = 'closed'
    ) AS moved
    GROUP BY mid, posting, account, tid, epoch, number, closed HAVING SUM(amount) <> 0"""
_TO = "CASE WHEN p.type IN ('25', '76') THEN 'refunds' ELSE 'merchant payable' END"
_BALANCES = """
    INSERT INTO balance (tid, mid, account, amount)
    SELECT tid, mid, account, SUM(amount) FROM (
        SELECT tid, mid, account, amount FROM entry UNION ALL SELECT tid, mid, account, amount FROM statement
    ) AS entries GROUP BY tid, mid, account"""


def upgrade() -> None:
    db = op.get_bind()
    _tables()
    _reports()
    _move(db)
    for statement in rules.statements(db.dialect.name, ("statement",)):
        db.exec_driver_sql(statement)


def _move(db: Connection) -> None:
    of = " ON entry" if db.dialect.name == "postgresql" else ""
    db.exec_driver_sql(f"DROP TRIGGER entry_no_update{of}")
    db.exec_driver_sql("UPDATE entry SET account = 'terminal clearing' WHERE account = 'merchant payable'")
    for statement in rules.statements(db.dialect.name, ("entry",)):
        if "entry_no_update" in statement:
            db.exec_driver_sql(statement)
    db.exec_driver_sql(_BATCHES.format(account="'terminal clearing'", sign="-"))
    db.exec_driver_sql(_BATCHES.format(account=_TO, sign=""))
    db.exec_driver_sql("DELETE FROM balance")
    db.exec_driver_sql(_BALANCES)


def _tables() -> None:
    op.create_table(
        "merchant",
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("bic", sa.Text(), nullable=False),
        sa.Column("fee", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.CheckConstraint("fee BETWEEN 0 AND 10000", name="merchant_fee"),
        sa.PrimaryKeyConstraint("mid"),
        sqlite_strict=True,
    )
    op.create_table(
        "statement",
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("posting", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("epoch", WHOLE, nullable=True),
        sa.Column("batch", sa.Text(), nullable=True),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.CheckConstraint("amount <> 0", name="statement_amount"),
        sa.PrimaryKeyConstraint("mid", "posting", "account"),
        sqlite_strict=True,
    )
    op.create_index("statement_day", "statement", ["mid", "day"], unique=False)
    op.create_index("statement_batch", "statement", ["tid", "epoch", "batch"], unique=False)
    is_open = sa.text("state = 'open'")
    op.create_index("batch_open", "batch", ["tid"], unique=False, sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "settlement",
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("run", WHOLE, nullable=False),
        sa.Column("sales", WHOLE, nullable=False),
        sa.Column("refunds", WHOLE, nullable=False),
        sa.Column("rate", WHOLE, nullable=False),
        sa.Column("fee", WHOLE, nullable=False),
        sa.Column("carried", WHOLE, nullable=False),
        sa.Column("net", WHOLE, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("bic", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payout", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.CheckConstraint("payout IN ('none', 'ordered', 'paid', 'failed')", name="settlement_payout"),
        sa.PrimaryKeyConstraint("mid", "day"),
        sqlite_strict=True,
    )
    op.create_index("settlement_run", "settlement", ["day", "run"], unique=False)
    op.create_table(
        "settled",
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("posting", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["mid", "day"], ["settlement.mid", "settlement.day"], name=op.f("settled_of_settlement")
        ),
        sa.PrimaryKeyConstraint("mid", "posting"),
        sqlite_strict=True,
    )
    op.create_index("settled_day", "settled", ["mid", "day"], unique=False)


def _reports() -> None:
    op.create_table(
        "report",
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("lines", WHOLE, nullable=False),
        sa.Column("done", sa.Text(), nullable=True),
        sa.CheckConstraint("source IN ('card', 'wallet')", name="report_source"),
        sa.PrimaryKeyConstraint("mid", "digest"),
        sqlite_strict=True,
    )
    op.create_table(
        "reported",
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("line", WHOLE, nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("fee", WHOLE, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("tid", sa.Text(), nullable=True),
        sa.Column("uid", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("mid", "digest", "line"),
        sqlite_strict=True,
    )
    op.create_index("reported_payment", "reported", ["tid", "uid"], unique=False)
    op.create_index("reported_line", "reported", ["digest", "line"], unique=False)
    op.create_table(
        "difference",
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("tid", sa.Text(), nullable=True),
        sa.Column("uid", sa.Text(), nullable=True),
        sa.Column("ours", WHOLE, nullable=False),
        sa.Column("theirs", WHOLE, nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "what IN ('missing here', 'missing there', 'other amount', 'twice', 'undone but paid', 'undecided but paid')",
            name="difference_what",
        ),
        sa.CheckConstraint("state IN ('open', 'explained', 'found')", name="difference_state"),
        sa.PrimaryKeyConstraint("mid", "subject"),
        sqlite_strict=True,
    )
    op.create_index(
        "difference_open",
        "difference",
        ["mid", "at"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
