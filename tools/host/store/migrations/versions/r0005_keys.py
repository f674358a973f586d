# SPDX-License-Identifier: MIT
"""The keys that a terminal has, had and will have; certificates that wait to be fetched."""

import sqlalchemy as sa
from alembic import op

revision = "0005_keys"
down_revision = "0004_behind"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "new_certificate",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("offered", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tid"),
        sqlite_strict=True,
    )
    op.create_table(
        "terminal_key",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("ikid", sa.Text(), nullable=False),
        sa.Column("since", sa.Text(), nullable=True),
        sa.Column("message_mark", WHOLE, nullable=False),
        sa.Column("seen", sa.LargeBinary(), nullable=True),
        sa.Column("other_device", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("tid", "ikid"),
        sqlite_strict=True,
    )
    op.add_column("payment", sa.Column("ikid", sa.Text(), nullable=True))
