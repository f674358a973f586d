# SPDX-License-Identifier: MIT
"""What a terminal says of itself in its handshake: the firmware's version, and how many payments it has still to send."""

import sqlalchemy as sa
from alembic import op

revision = "0009_news"
down_revision = "0008_key_merchant"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("terminal", sa.Column("firmware", sa.Text(), nullable=True))
    op.add_column("terminal", sa.Column("waiting", WHOLE, nullable=True))
