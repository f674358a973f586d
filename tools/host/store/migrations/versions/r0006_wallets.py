# SPDX-License-Identifier: MIT
"""Orders and refunds at wallet providers."""

import sqlalchemy as sa
from alembic import op

revision = "0006_wallets"
down_revision = "0005_keys"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "wallet_order",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("is_shown", WHOLE, nullable=False),
        sa.Column("shown", sa.LargeBinary(), nullable=True),
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("asked", WHOLE, nullable=False),
        sa.Column("next_at", WHOLE, nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("their_id", sa.Text(), nullable=False),
        sa.Column("their_code", sa.Text(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('ASKED', 'WAITING', 'EXPIRING', 'PAID', 'REFUSED', 'UNDOING', 'UNDONE', 'KEPT')",
            name="wallet_order_state",
        ),
        sa.PrimaryKeyConstraint("tid", "uid"),
        sqlite_strict=True,
    )
    op.create_index("wallet_order_asked", "wallet_order", ["mid", "wallet", "asked"], unique=False)
    op.create_index(
        "wallet_order_open",
        "wallet_order",
        ["next_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('ASKED', 'WAITING', 'EXPIRING')"),
        postgresql_where=sa.text("state IN ('ASKED', 'WAITING', 'EXPIRING')"),
    )
    op.create_index(
        "wallet_order_undo",
        "wallet_order",
        ["mid"],
        unique=False,
        sqlite_where=sa.text("state IN ('UNDOING', 'KEPT')"),
        postgresql_where=sa.text("state IN ('UNDOING', 'KEPT')"),
    )
    op.create_table(
        "wallet_refund",
        sa.Column("tid", sa.Text(), nullable=False),
        sa.Column("uid", sa.Text(), nullable=False),
        sa.Column("mid", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("order_tid", sa.Text(), nullable=False),
        sa.Column("order_uid", sa.Text(), nullable=False),
        sa.Column("wallet", sa.Text(), nullable=False),
        sa.Column("amount", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("asked", WHOLE, nullable=False),
        sa.Column("next_at", WHOLE, nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("text_zh", sa.Text(), nullable=False),
        sa.Column("their_id", sa.Text(), nullable=False),
        sa.Column("their_code", sa.Text(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('ASKED', 'WAITING', 'PAID', 'REFUSED')", name="wallet_refund_state"),
        sa.PrimaryKeyConstraint("tid", "uid"),
        sqlite_strict=True,
    )
    op.create_index("wallet_refund_asked", "wallet_refund", ["mid", "wallet", "asked"], unique=False)
    op.create_index("wallet_refund_order", "wallet_refund", ["order_tid", "order_uid"], unique=False)
