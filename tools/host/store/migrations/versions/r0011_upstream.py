# SPDX-License-Identifier: MIT
"""What was sent to the card acquirer."""

import sqlalchemy as sa
from alembic import op

revision = "0011_upstream"
down_revision = "0010_other_fee"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "upstream",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("worth", WHOLE, nullable=False),
        sa.Column("stan", sa.Text(), nullable=False),
        sa.Column("sent", WHOLE, nullable=False),
        sa.Column("rrn", sa.Text(), nullable=False),
        sa.Column("auth_code", sa.Text(), nullable=True),
        sa.Column("their_code", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("balance", WHOLE, nullable=True),
        sa.Column("day", sa.Text(), nullable=True),
        sa.Column("undo_stan", sa.Text(), nullable=True),
        sa.Column("undo_sent", WHOLE, nullable=True),
        sa.Column("undo_day", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('ASKED', 'YES', 'NO', 'UNDOING', 'UNDONE')", name="upstream_state"),
        sa.PrimaryKeyConstraint("tid", "uid"),
        sqlite_strict=True,
    )
    op.create_index("upstream_day", "upstream", ["day"], unique=False)
    op.create_index("upstream_undo_day", "upstream", ["undo_day"], unique=False)
    op.create_index("upstream_rrn", "upstream", ["rrn"], unique=False)
    op.create_index(
        "upstream_open",
        "upstream",
        ["sent"],
        unique=False,
        sqlite_where=sa.text("state IN ('ASKED', 'UNDOING')"),
        postgresql_where=sa.text("state IN ('ASKED', 'UNDOING')"),
    )
    op.create_table(
        "upstream_number",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("last", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("tid"),
        sqlite_strict=True,
    )
    op.create_table(
        "upstream_settlement",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("stan", sa.Text(), nullable=False),
        sa.Column("sent", WHOLE, nullable=False),
        sa.Column("totals", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.CheckConstraint("result IN ('balanced', 'differs')", name="upstream_settlement_result"),
        sa.PrimaryKeyConstraint("tid", "day", "currency"),
        sqlite_strict=True,
    )
