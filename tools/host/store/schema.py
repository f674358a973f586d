# SPDX-License-Identifier: MIT
"""The ledger's tables, for SQLite and PostgreSQL. Money is in integer minor units; entries and audit are append-only.

Every primary, unique and foreign key begins with the terminal (or merchant), so that the tables can be distributed by
it (docs/scale.md). The tables are made and changed by the migrations alone; a test compares them with this page.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    text,
)
from sqlalchemy.schema import SchemaItem

metadata = MetaData(
    naming_convention={"ix": "%(table_name)s_%(column_0_N_name)s", "fk": "%(table_name)s_of_%(referred_table_name)s"}
)
WHOLE = BigInteger().with_variant(Integer, "sqlite")


def new_table(name: str, *items: SchemaItem) -> Table:
    return Table(name, metadata, *items, sqlite_strict=True)


def words(name: str, **more: Any) -> Column[Any]:
    return Column(name, Text, nullable=more.pop("nullable", False), **more)


def whole(name: str, **more: Any) -> Column[Any]:
    return Column(name, WHOLE, nullable=more.pop("nullable", False), **more)


def index_where(condition: str, name: str, *columns: str) -> Index:
    return Index(name, *columns, sqlite_where=text(condition), postgresql_where=text(condition))


terminal = new_table(
    "terminal",
    words("tid", primary_key=True),
    words("mid"),
    words("ikid"),
    words("bdk_id"),
    whole("epoch", default=1),
    whole("batch", default=1),
    whole("message_mark", default=0),
    whole("reported_sequence", default=0),
    words("reported_tag", default="0" * 16),
    words("quarantine", nullable=True),  # the reason; NULL = none
    words("heard", nullable=True),
    words("firmware", nullable=True),  # its version, as the terminal says
    whole("waiting", nullable=True),  # payments that it had still to send at its last handshake
    words("versions", nullable=True),  # versions of its tables, by 60.3, as JSON
    words("certificate_ends", nullable=True),  # expiry date of the certificate it last showed
    words("blocked", nullable=True),  # the reason it may not connect; NULL = it may
    Column("seen", LargeBinary, nullable=True),  # which message counters were seen: see transactions/key_window.py
)

message = new_table(
    "message",  # one row per request, so that a repeat gets the same answer
    words("tid"),
    words("class"),
    words("uid"),
    whole("epoch"),
    words("batch"),
    words("stan"),
    words("hash"),
    words("answer", nullable=True),  # JSON without the envelope; NULL until final
    PrimaryKeyConstraint("tid", "class", "uid"),
    Index("message_key", "tid", "epoch", "batch", "stan", "class"),
)

payment = new_table(
    "payment",
    words("tid"),
    words("uid"),
    words("mid"),  # the merchant it was taken for, whoever has the terminal later
    whole("number"),  # rises with time (numbers.py): the order of lists
    whole("epoch"),
    whole("sequence"),
    words("batch"),
    words("settled_in"),  # the batch it counts in: its own, unless that was closed before it arrived
    words("stan"),
    words("type"),
    whole("amount"),
    words("currency"),
    words("first6"),
    words("last4"),
    words("pan_token", nullable=True),
    whole("atc", nullable=True),
    whole("taken_at"),
    Column("header", LargeBinary, nullable=False),
    words("body_hash"),
    whole("body_counter"),
    words("ikid", nullable=True),  # initial key id of its KSN; NULL: the one its terminal has
    words("state"),
    whole("quarantined", default=0),
    words("original_tid", nullable=True),  # the payment that this one refers to, of a terminal of the same merchant
    words("original", nullable=True),  # its uid
    words("refers_to", nullable=True),  # RRN of that payment, while it is missing
    whole("worth"),  # net value to the merchant once approved; negative: owed by the merchant
    words("code", nullable=True),
    words("auth_code", nullable=True),
    words("rrn", nullable=True),
    words("text", nullable=True),
    whole("handed_in", nullable=True),  # number of the hand-in that brought it; NULL: its terminal sent it
    words("received"),
    words("answered", nullable=True),
    words("day", nullable=True),  # local date (YYYY-MM-DD) of the approval; what it counts in
    whole("asked_until", nullable=True),  # ms since 1970: until then one process waits for the decision from outside
    PrimaryKeyConstraint("tid", "uid"),
    CheckConstraint("amount >= 0", name="payment_amount"),
    CheckConstraint("state IN ('RECEIVED', 'APPROVED', 'DECLINED', 'REVERSED')", name="payment_state"),
    Index("payment_number", "number"),
    Index("payment_merchant", "mid", "number"),
    Index("payment_terminal", "tid", "number"),
    Index("payment_batch", "tid", "epoch", "settled_in"),
    Index("payment_body", "tid", "body_counter"),
    Index("payment_card", "pan_token", "atc"),
    Index("payment_rrn", "rrn"),
    index_where("refers_to IS NOT NULL", "payment_refers_to", "refers_to"),
    index_where("original IS NOT NULL", "payment_original", "original_tid", "original"),
    index_where("state = 'RECEIVED'", "payment_open", "number"),
)

link = new_table(
    "link",  # the payment chain: one row per record, in any order
    words("tid"),
    whole("epoch"),
    whole("sequence"),
    words("uid"),
    words("previous_tag"),
    words("tag"),
    words("recomputed_tag"),
    words("kind"),
    words("state"),
    PrimaryKeyConstraint("tid", "epoch", "sequence", "uid"),
    CheckConstraint("kind IN ('payment', 'void', 'reversal')", name="link_kind"),
    CheckConstraint("state IN ('waits', 'holds', 'broken', 'damaged')", name="link_state"),
)

beginning = new_table(
    "beginning",  # an epoch that began when a supervisor cleared a quarantine; a terminal's first epoch has no row
    words("tid", primary_key=True),
    whole("epoch", primary_key=True, autoincrement=False),
    whole("after", default=0),  # the newest sequence of the previous epoch; this epoch's chain starts after it
    whole("begun", default=0),  # 1: the terminal has adopted it, so records of older epochs come from another chip
)

tombstone = new_table(
    "tombstone",  # reversed before it arrived: always refused
    words("tid", primary_key=True),
    words("uid", primary_key=True),
    words("at"),
)

batch = new_table(
    "batch",
    words("tid", primary_key=True),
    whole("epoch", primary_key=True, autoincrement=False),
    words("number", primary_key=True),
    words("mid"),
    words("state"),
    whole("debit_amount", nullable=True),
    whole("debit_count", nullable=True),
    whole("credit_amount", nullable=True),
    whole("credit_count", nullable=True),
    whole("uploaded", nullable=True),  # number of records uploaded because the totals differed
    words("opened"),
    words("closed", nullable=True),
    CheckConstraint("state IN ('open', 'closed')", name="batch_state"),
    Index("batch_opened", "mid", "opened"),
    Index("batch_in_time", "opened", "tid", "epoch", "number"),
    index_where("state = 'open'", "batch_open", "tid"),
)

hand_in = new_table(
    "hand_in",  # an operator hands in the journal of a terminal that cannot send it
    words("tid"),
    whole("number"),
    words("at"),
    words("operator"),  # who did it
    words("digest"),  # SHA-256 of the records
    words("report", nullable=True),  # JSON; NULL until it ended
    PrimaryKeyConstraint("tid", "number"),
)

entry = new_table(
    "entry",  # double entry: debits positive, credits negative; each payment sums to zero, once for each reason
    words("tid"),
    words("uid"),
    words("account"),
    words("reason"),
    words("mid"),
    whole("amount"),
    words("at"),
    words("day"),  # local date, YYYY-MM-DD
    PrimaryKeyConstraint("tid", "uid", "account", "reason"),
    ForeignKeyConstraint(["tid", "uid"], ["payment.tid", "payment.uid"]),
    CheckConstraint("amount <> 0", name="entry_amount"),
    Index("entry_day", "mid", "day"),
)

turnover = new_table(
    "turnover",  # running sums of approved payments, so that no page has to add up payments
    words("tid"),
    whole("epoch"),
    words("batch"),
    words("day"),
    words("type"),
    words("mid"),
    whole("count"),
    whole("worth"),
    PrimaryKeyConstraint("tid", "epoch", "batch", "day", "type"),
    Index("turnover_day", "mid", "day"),
)

balance = new_table(
    "balance",  # running sums of entries
    words("tid"),
    words("mid"),
    words("account"),
    whole("amount"),
    PrimaryKeyConstraint("tid", "mid", "account"),
)

outbox = new_table(
    "outbox",  # what those outside are still to be told, until they have answered
    words("tid"),
    words("uid"),
    words("act"),
    words("mid"),
    words("type"),  # of the payment
    whole("amount"),
    words("original", nullable=True),  # uid of the payment that a void, tip or adjustment is about
    words("at"),
    whole("attempts", default=0),
    whole("next_at"),  # ms since 1970; also while a process tells it
    words("trouble", nullable=True),  # why the last attempt failed
    words("done", nullable=True),
    PrimaryKeyConstraint("tid", "uid", "act"),
    CheckConstraint("act IN ('tell', 'undo')", name="outbox_act"),
    index_where("done IS NULL", "outbox_open", "next_at"),
)

published = new_table(
    "published",  # the tables that terminals fetch, every version
    words("mid"),  # "" = of all merchants
    words("network"),
    whole("version"),
    Column("data", LargeBinary, nullable=False),
    words("at"),
    words("by"),
    PrimaryKeyConstraint("mid", "network", "version"),
)

audit = new_table(
    "audit",
    words("tid"),  # "" = about the host itself
    whole("number"),
    words("at"),
    words("what"),
    words("detail"),
    PrimaryKeyConstraint("tid", "number"),
    Index("audit_number", "number"),
)
