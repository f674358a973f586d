# SPDX-License-Identifier: MIT
"""Tables of the books beyond payments: merchants, statements, settlements, what acquirers and wallets say they paid.

Amounts are in minor units. `mid`: "" where something belongs to no merchant. See docs/books.md.
"""

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, PrimaryKeyConstraint

from tools.host.store.schema import index_where, new_table, whole, words

merchant = new_table(
    "merchant",
    words("mid", primary_key=True),
    words("name"),
    words("account"),  # IBAN, or the account number of a country without IBANs
    words("bic"),
    whole("fee"),  # basis points of sales
    words("currency"),  # ISO 4217
    words("at"),
    CheckConstraint("fee BETWEEN 0 AND 10000", name="merchant_fee"),
)

statement = new_table(
    "statement",  # entries that belong to no single payment; append-only; each posting sums to zero
    words("mid"),
    words("posting"),  # what it is about; unique, so nothing is posted twice
    words("account"),
    words("reason"),
    words("tid"),  # "" = no terminal
    whole("epoch", nullable=True),  # of the batch that was closed
    words("batch", nullable=True),
    whole("amount"),  # debits positive
    words("at"),
    words("day"),  # local date, YYYY-MM-DD
    PrimaryKeyConstraint("mid", "posting", "account"),
    CheckConstraint("amount <> 0", name="statement_amount"),
    Index("statement_day", "mid", "day"),
    Index("statement_batch", "tid", "epoch", "batch"),
    index_where("reason = 'dispute'", "statement_dispute", "at", "mid", "posting"),
    index_where("reason = 'dispute'", "statement_dispute_of", "mid", "at", "posting"),
)

settlement = new_table(
    "settlement",  # one for each merchant and day
    words("mid"),
    words("day"),
    whole("run"),  # those made together; one payment file
    whole("sales"),
    whole("refunds"),
    whole("rate"),  # the fee in basis points, as it was
    whole("fee"),
    whole("carried"),  # owed from before; negative: owed by the merchant
    whole("net"),  # paid out if positive, else carried on
    words("name"),  # whom and where to, as it was
    words("account"),
    words("bic"),
    words("currency"),
    words("payout"),
    words("why", nullable=True),  # why the payout failed
    words("at"),
    PrimaryKeyConstraint("mid", "day"),
    CheckConstraint("payout IN ('none', 'ordered', 'paid', 'failed')", name="settlement_payout"),
    Index("settlement_run", "day", "run"),
)

settled = new_table(
    "settled",  # which closed batch is in which settlement: in one, once
    words("mid"),
    words("posting"),
    words("day"),
    PrimaryKeyConstraint("mid", "posting"),
    ForeignKeyConstraint(["mid", "day"], ["settlement.mid", "settlement.day"]),
    Index("settled_day", "mid", "day"),
)

report = new_table(
    "report",  # a file of an acquirer or a wallet; its hash makes it unique
    words("mid"),
    words("digest"),  # SHA-256
    words("source"),
    words("at"),
    words("by"),
    whole("lines"),
    words("done", nullable=True),  # NULL while it is worked through; it can be gone on with
    PrimaryKeyConstraint("mid", "digest"),
    CheckConstraint("source IN ('card', 'wallet')", name="report_source"),
)

reported = new_table(
    "reported",  # one line of such a file
    words("mid"),  # of the payment; "" = none was found
    words("digest"),
    whole("line"),
    words("reference"),
    whole("amount"),
    whole("fee"),
    words("day"),
    words("tid", nullable=True),  # the payment that it is about
    words("uid", nullable=True),
    PrimaryKeyConstraint("mid", "digest", "line"),
    Index("reported_payment", "tid", "uid"),
    Index("reported_line", "digest", "line"),
)

difference = new_table(
    "difference",  # what does not agree with an acquirer or wallet, until a person has explained it
    words("mid"),
    words("subject"),  # what it is about; unique, so that it is listed once
    words("what"),
    words("source"),
    words("reference"),
    words("tid", nullable=True),
    words("uid", nullable=True),
    whole("ours"),
    whole("theirs"),
    words("day"),
    words("detail"),
    words("state"),
    words("by", nullable=True),
    words("why", nullable=True),
    words("at"),
    words("ended", nullable=True),
    PrimaryKeyConstraint("mid", "subject"),
    CheckConstraint(
        "what IN ('missing here', 'missing there', 'other amount', 'other fee', 'twice', 'undone but paid',"
        " 'undecided but paid')",
        name="difference_what",
    ),
    CheckConstraint("state IN ('open', 'explained', 'found')", name="difference_state"),
    index_where("state = 'open'", "difference_open", "mid", "at"),
    Index("difference_in_time", "state", "at", "mid", "subject"),
    Index("difference_of", "mid", "state", "at", "subject"),
)
