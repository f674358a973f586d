# SPDX-License-Identifier: MIT
"""A key that is out of use knows the merchant whose payments were taken under it."""

import sqlalchemy as sa
from alembic import op

revision = "0008_key_merchant"
down_revision = "0007_decisions"


def upgrade() -> None:
    op.add_column("terminal_key", sa.Column("mid", sa.Text(), nullable=True))
