# SPDX-License-Identifier: MIT
"""Tables of the people who may see the pages; batches in order of time."""

import sqlalchemy as sa
from alembic import op

revision = "0003_users"
down_revision = "0002_books"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "user_account",
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("mid", "name"),
        sa.CheckConstraint("role IN ('merchant', 'operator', 'auditor', 'administrator')", name="user_account_role"),
        sa.CheckConstraint("(role = 'merchant') = (mid <> '')", name="user_account_merchant"),
        sqlite_strict=True,
    )
    op.create_table(
        "session",
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("begun", WHOLE, nullable=False),
        sa.Column("used", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("mid", "hash"),
        sqlite_strict=True,
    )
    op.create_index("session_user", "session", ["mid", "name"])
    op.create_table(
        "login_failure",
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("count", WHOLE, nullable=False),
        sa.Column("next_at", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("mid", "who"),
        sqlite_strict=True,
    )
    op.create_index("batch_in_time", "batch", ["opened", "tid", "epoch", "number"])
