# SPDX-License-Identifier: MIT
"""Orders and refunds at wallet providers: written before anybody outside is asked (acquirers/orders.py)."""

from sqlalchemy import CheckConstraint, Column, Index, LargeBinary

from tools.host.store.schema import index_where, new_table, whole, words


def _of_provider() -> list[Column]:
    return [
        words("wallet"),  # name in acquirers.toml; "": it was undone before it was asked
        whole("amount"),
        words("currency"),  # ISO 4217, letters
        whole("asked"),  # ms since 1970
        whole("next_at"),  # ms since 1970: not asked about sooner; also while a process asks
        words("code", nullable=True),  # DE 39, once it is final
        words("text_en", default=""),
        words("text_zh", default=""),
        words("their_id", default=""),
        words("their_code", default=""),
        words("trouble", nullable=True),  # why the last call failed
    ]


wallet_order = new_table(
    "wallet_order",
    words("tid", primary_key=True),
    words("uid", primary_key=True),  # the payment's; also the provider's order number
    words("mid"),
    words("state"),
    whole("is_shown"),  # 1: the customer scans our code
    Column("shown", LargeBinary, nullable=True),  # that code
    *_of_provider(),
    CheckConstraint(
        "state IN ('ASKED', 'WAITING', 'EXPIRING', 'PAID', 'REFUSED', 'UNDOING', 'UNDONE', 'KEPT')",
        name="wallet_order_state",
    ),
    index_where("state IN ('ASKED', 'WAITING', 'EXPIRING')", "wallet_order_open", "next_at"),
    index_where("state IN ('UNDOING', 'KEPT')", "wallet_order_undo", "mid"),
    Index("wallet_order_asked", "mid", "wallet", "asked"),
)

wallet_refund = new_table(
    "wallet_refund",
    words("tid", primary_key=True),
    words("uid", primary_key=True),  # the refund's; also the provider's refund number
    words("mid"),
    words("state"),
    words("order_tid"),  # the order that is refunded: its terminal, which may be another one of the merchant,
    words("order_uid"),  # and its uid
    *_of_provider(),
    CheckConstraint("state IN ('ASKED', 'WAITING', 'PAID', 'REFUSED')", name="wallet_refund_state"),
    Index("wallet_refund_order", "order_tid", "order_uid"),
    Index("wallet_refund_asked", "mid", "wallet", "asked"),
)
