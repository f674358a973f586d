# SPDX-License-Identifier: MIT
"""What was sent to the card acquirer: written before it is sent (acquirers/card/requests.py). No card data is in it."""

from sqlalchemy import CheckConstraint, Index

from tools.host.store.schema import index_where, new_table, whole, words

upstream = new_table(
    "upstream",  # a request or an advice, and its reversal
    words("tid", primary_key=True),
    words("uid", primary_key=True),  # the payment's
    words("mid"),
    words("state"),
    words("kind"),  # the dialect's name of the transaction; "": it was undone before it was sent
    whole("amount"),
    words("currency"),  # EMV tag 5F2A, 4 digits
    whole("worth"),  # what it brings the merchant once approved; negative: it takes
    words("stan"),  # DE 11
    whole("sent"),  # ms since 1970, whole seconds: DE 7, 12, 13
    words("rrn", default=""),  # DE 37
    words("auth_code", nullable=True),  # DE 38
    words("their_code", default=""),  # the acquirer's DE 39, the latest
    words("code", nullable=True),  # our DE 39, once it is final
    words("text_en", default=""),
    words("text_zh", default=""),
    whole("balance", nullable=True),  # DE 54, minor units
    words("day", nullable=True),  # the acquirer's day that it counts in, YYYY-MM-DD
    words("undo_stan", nullable=True),  # of the reversal
    whole("undo_sent", nullable=True),
    words("undo_day", nullable=True),  # the acquirer's day that the reversal was answered in
    CheckConstraint("state IN ('ASKED', 'YES', 'NO', 'UNDOING', 'UNDONE')", name="upstream_state"),
    Index("upstream_day", "day"),
    Index("upstream_undo_day", "undo_day"),
    Index("upstream_rrn", "rrn"),
    index_where("state IN ('ASKED', 'UNDOING')", "upstream_open", "sent"),
)

upstream_number = new_table(
    "upstream_number",  # the last STAN that was handed out, counted without end
    words("tid", primary_key=True),  # "": of the host, whose connection all terminals share
    whole("last", default=0),
)

upstream_settlement = new_table(
    "upstream_settlement",  # a day's totals as they were sent, one row a currency
    words("tid", primary_key=True),  # "": of the host
    words("day", primary_key=True),
    words("currency", primary_key=True),  # ISO 4217, 3 digits
    words("stan"),
    whole("sent"),
    words("totals"),  # JSON: what was sent
    words("answer", nullable=True),  # JSON: what the acquirer has; NULL until it is answered
    words("result", nullable=True),
    CheckConstraint("result IN ('balanced', 'differs')", name="upstream_settlement_result"),
)
