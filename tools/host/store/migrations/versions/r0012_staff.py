# SPDX-License-Identifier: MIT
"""What staff did at the terminals."""

import sqlalchemy as sa
from alembic import op

revision = "0012_staff"
down_revision = "0011_upstream"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "staff_act",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("log", sa.Text(), nullable=False),
        sa.Column("serial", WHOLE, nullable=False),
        sa.Column("act", WHOLE, nullable=False),
        sa.Column("operator", WHOLE, nullable=False),
        sa.Column("allowed_by", WHOLE, nullable=False),
        sa.Column("about", WHOLE, nullable=False),
        sa.Column("sequence", WHOLE, nullable=False),
        sa.Column("at", WHOLE, nullable=False),
        sa.Column("received", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tid", "log", "serial"),
        sqlite_strict=True,
    )
    op.create_index("staff_act_received", "staff_act", ["tid", "received"], unique=False)
