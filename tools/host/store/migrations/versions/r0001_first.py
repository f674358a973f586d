# SPDX-License-Identifier: MIT
"""The first tables. A database of version 0.1 is taken over into them."""

import sqlalchemy as sa
from alembic import op

from tools.host.store.migrations import database_of_0_1, rules

revision = "0001"
down_revision = None
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_APPEND_ONLY = ("entry", "audit")


def upgrade() -> None:
    db = op.get_bind()
    old = sa.inspect(db).has_table("payment")
    if old:
        database_of_0_1.set_aside(db)
    _tables()
    if old:
        database_of_0_1.bring_back(db)
    for statement in (*rules.statements(db.dialect.name, _APPEND_ONLY), *rules.closed_batches(db.dialect.name)):
        db.exec_driver_sql(statement)


def _tables() -> None:
    op.create_table(
        "audit",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tid", "number"),
        sqlite_strict=True,
    )
    op.create_index("audit_number", "audit", ["number"], unique=False)
    op.create_table(
        "balance",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("tid", "mid", "account"),
        sqlite_strict=True,
    )
    op.create_table(
        "batch",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("epoch", WHOLE, autoincrement=False, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("debit_amount", WHOLE, nullable=True),
        sa.Column("debit_count", WHOLE, nullable=True),
        sa.Column("credit_amount", WHOLE, nullable=True),
        sa.Column("credit_count", WHOLE, nullable=True),
        sa.Column("uploaded", WHOLE, nullable=True),
        sa.Column("opened", sa.Text(), nullable=False),
        sa.Column("closed", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'closed')", name="batch_state"),
        sa.PrimaryKeyConstraint("tid", "epoch", "number"),
        sqlite_strict=True,
    )
    op.create_index("batch_opened", "batch", ["mid", "opened"], unique=False)
    op.create_table(
        "beginning",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("epoch", WHOLE, autoincrement=False, nullable=False),
        sa.Column("after", WHOLE, nullable=False),
        sa.Column("begun", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("tid", "epoch"),
        sqlite_strict=True,
    )
    op.create_table(
        "hand_in",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("operator", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("report", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tid", "number"),
        sqlite_strict=True,
    )
    op.create_table(
        "link",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("sequence", WHOLE, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("previous_tag", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("recomputed_tag", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('payment', 'void', 'reversal')", name="link_kind"),
        sa.CheckConstraint("state IN ('waits', 'holds', 'broken', 'damaged')", name="link_state"),
        sa.PrimaryKeyConstraint("tid", "epoch", "sequence", "uid"),
        sqlite_strict=True,
    )
    op.create_table(
        "message",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("class", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("stan", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tid", "class", "uid"),
        sqlite_strict=True,
    )
    op.create_index("message_key", "message", ["tid", "epoch", "batch", "stan", "class"], unique=False)
    op.create_table(
        "outbox",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("act", sa.Text(), nullable=False),
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("original", sa.Text(), nullable=True),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("next_at", WHOLE, nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("done", sa.Text(), nullable=True),
        sa.CheckConstraint("act IN ('tell', 'undo')", name="outbox_act"),
        sa.PrimaryKeyConstraint("tid", "uid", "act"),
        sqlite_strict=True,
    )
    op.create_index(
        "outbox_open",
        "outbox",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("done IS NULL"),
        postgresql_where=sa.text("done IS NULL"),
    )
    op.create_table(
        "payment",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("sequence", WHOLE, nullable=False),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("settled_in", sa.Text(), nullable=False),
        sa.Column("stan", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("first6", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=False),
        sa.Column("pan_token", sa.Text(), nullable=True),
        sa.Column("atc", WHOLE, nullable=True),
        sa.Column("taken_at", WHOLE, nullable=False),
        sa.Column("header", sa.LargeBinary(), nullable=False),
        sa.Column("body_hash", sa.Text(), nullable=False),
        sa.Column("body_counter", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("quarantined", WHOLE, nullable=False),
        sa.Column("original_tid", sa.Text(), nullable=True),
        sa.Column("original", sa.Text(), nullable=True),
        sa.Column("refers_to", sa.Text(), nullable=True),
        sa.Column("worth", WHOLE, nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("auth_code", sa.Text(), nullable=True),
        sa.Column("rrn", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("handed_in", WHOLE, nullable=True),
        sa.Column("received", sa.Text(), nullable=False),
        sa.Column("answered", sa.Text(), nullable=True),
        sa.Column("day", sa.Text(), nullable=True),
        sa.Column("asked_until", WHOLE, nullable=True),
        sa.CheckConstraint("state IN ('RECEIVED', 'APPROVED', 'DECLINED', 'REVERSED')", name="payment_state"),
        sa.CheckConstraint("amount >= 0", name="payment_amount"),
        sa.PrimaryKeyConstraint("tid", "uid"),
        sqlite_strict=True,
    )
    op.create_index("payment_batch", "payment", ["tid", "epoch", "settled_in"], unique=False)
    op.create_index("payment_body", "payment", ["tid", "body_counter"], unique=False)
    op.create_index("payment_card", "payment", ["pan_token", "atc"], unique=False)
    op.create_index("payment_merchant", "payment", ["mid", "number"], unique=False)
    op.create_index("payment_number", "payment", ["number"], unique=False)
    op.create_index(
        "payment_open",
        "payment",
        ["number"],
        unique=False,
        sqlite_where=sa.text("state = 'RECEIVED'"),
        postgresql_where=sa.text("state = 'RECEIVED'"),
    )
    op.create_index(
        "payment_original",
        "payment",
        ["original_tid", "original"],
        unique=False,
        sqlite_where=sa.text("original IS NOT NULL"),
        postgresql_where=sa.text("original IS NOT NULL"),
    )
    op.create_index(
        "payment_refers_to",
        "payment",
        ["refers_to"],
        unique=False,
        sqlite_where=sa.text("refers_to IS NOT NULL"),
        postgresql_where=sa.text("refers_to IS NOT NULL"),
    )
    op.create_index("payment_rrn", "payment", ["rrn"], unique=False)
    op.create_index("payment_terminal", "payment", ["tid", "number"], unique=False)
    op.create_table(
        "published",
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("network", sa.Text(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mid", "network", "version"),
        sqlite_strict=True,
    )
    op.create_table(
        "terminal",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("ikid", sa.Text(), nullable=False),
        sa.Column("bdk_id", sa.Text(), nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("batch", WHOLE, nullable=False),
        sa.Column("message_mark", WHOLE, nullable=False),
        sa.Column("reported_sequence", WHOLE, nullable=False),
        sa.Column("reported_tag", sa.Text(), nullable=False),
        sa.Column("quarantine", sa.Text(), nullable=True),
        sa.Column("heard", sa.Text(), nullable=True),
        sa.Column("versions", sa.Text(), nullable=True),
        sa.Column("certificate_ends", sa.Text(), nullable=True),
        sa.Column("blocked", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tid"),
        sqlite_strict=True,
    )
    op.create_table(
        "tombstone",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tid", "uid"),
        sqlite_strict=True,
    )
    op.create_table(
        "turnover",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("worth", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("tid", "epoch", "batch", "day", "type"),
        sqlite_strict=True,
    )
    op.create_index("turnover_day", "turnover", ["mid", "day"], unique=False)
    op.create_table(
        "entry",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.CheckConstraint("amount <> 0", name="entry_amount"),
        sa.ForeignKeyConstraint(["tid", "uid"], ["payment.tid", "payment.uid"], name=op.f("entry_of_payment")),
        sa.PrimaryKeyConstraint("tid", "uid", "account", "reason"),
        sqlite_strict=True,
    )
    op.create_index("entry_day", "entry", ["mid", "day"], unique=False)
