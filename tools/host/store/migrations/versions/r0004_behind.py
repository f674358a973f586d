# SPDX-License-Identifier: MIT
"""Who is behind: damaged records, uploads that were asked for, restores; which message counters were seen."""

import sqlalchemy as sa
from alembic import op

revision = "0004_behind"
down_revision = "0003_users"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "asked",
        sa.Column("tid", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("epoch", WHOLE, autoincrement=False, nullable=False),
        sa.Column("batch", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.Column("missing", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tid", "epoch", "batch"),
        sqlite_strict=True,
    )
    op.create_table(
        "damaged",
        sa.Column("tid", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("digest", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("sequence", WHOLE, nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("recomputed", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tid", "digest"),
        sqlite_strict=True,
    )
    op.create_index("damaged_sequence", "damaged", ["tid", "epoch", "sequence"], unique=False)
    op.create_table(
        "held",
        sa.Column("tid", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("sequence", WHOLE, nullable=False),
        sa.Column("batch", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tid", "uid"),
        sqlite_strict=True,
    )
    op.create_table(
        "lost",
        sa.Column("tid", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("epoch", WHOLE, autoincrement=False, nullable=False),
        sa.Column("first", WHOLE, autoincrement=False, nullable=False),
        sa.Column("last", WHOLE, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tid", "epoch", "first"),
        sqlite_strict=True,
    )
    op.create_table(
        "lost_batch",
        sa.Column("tid", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("epoch", WHOLE, autoincrement=False, nullable=False),
        sa.Column("number", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("restore", WHOLE, nullable=False),
        sa.Column("back", WHOLE, nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("tid", "epoch", "number"),
        sqlite_strict=True,
    )
    op.create_table(
        "restore",
        sa.Column("tid", sa.Text(), autoincrement=False, nullable=False),
        sa.Column("number", WHOLE, autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("first_epoch", WHOLE, nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("after", WHOLE, nullable=False),
        sa.Column("newest", WHOLE, nullable=False),
        sa.Column("first_batch", WHOLE, nullable=False),
        sa.Column("open_batch", WHOLE, nullable=False),
        sa.Column("waiting", WHOLE, nullable=False),
        sa.Column("back", WHOLE, nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("pending", WHOLE, nullable=True),
        sa.Column("ended", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tid", "number"),
        sqlite_strict=True,
    )
    op.add_column("terminal", sa.Column("seen", sa.LargeBinary(), nullable=True))
