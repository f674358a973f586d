# SPDX-License-Identifier: MIT
"""The ledger's tables. Money is INTEGER minor units; all tables are STRICT; entries and audit are append-only."""

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.schema import DDL, SchemaItem

metadata = MetaData()


def _table(name: str, *items: SchemaItem) -> Table:
    return Table(name, metadata, *items, sqlite_strict=True)


def _text(name: str, **more: Any) -> Column[Any]:
    return Column(name, Text, nullable=more.pop("nullable", False), **more)


def _whole(name: str, **more: Any) -> Column[Any]:
    return Column(name, Integer, nullable=more.pop("nullable", False), **more)


terminal = _table(
    "terminal",
    _text("tid", primary_key=True),
    _text("mid"),
    _text("ikid"),
    _text("bdk_id"),
    _whole("epoch", default=1),
    _whole("batch", default=1),
    _whole("message_mark", default=0),
    _whole("reported_sequence", default=0),
    _text("reported_tag", default="0" * 16),
    _text("quarantine", nullable=True),  # the reason; NULL = none
    _text("heard", nullable=True),
    _text("versions", nullable=True),  # versions of its tables, by 60.3, as JSON
    _text("certificate_ends", nullable=True),  # expiry date of the certificate it last showed
)

message = _table(
    "message",  # one row per request, so that a repeat gets the same answer
    _whole("id", primary_key=True),
    _text("tid"),
    _whole("epoch"),
    _text("batch"),
    _text("stan"),
    _text("class"),
    _text("uid"),
    _text("hash"),
    _text("answer", nullable=True),  # JSON without the envelope; NULL until final
    UniqueConstraint("tid", "class", "uid"),
    Index("message_key", "tid", "epoch", "batch", "stan", "class"),
)

payment = _table(
    "payment",
    _whole("id", primary_key=True),
    _text("tid"),
    _text("uid"),
    _whole("epoch"),
    _whole("sequence"),
    _text("batch"),
    _text("settled_in"),  # the batch it counts in: its own, unless that was closed before it arrived
    _text("stan"),
    _text("type"),
    _whole("amount"),
    _text("currency"),
    _text("first6"),
    _text("last4"),
    _text("pan_token", nullable=True),
    _whole("atc", nullable=True),
    _whole("taken_at"),
    Column("header", LargeBinary, nullable=False),
    _text("body_hash"),
    _whole("body_counter"),
    _text("ikid", nullable=True),  # initial key id of its KSN; NULL: the one its terminal has
    _text("state"),
    _whole("quarantined", default=0),
    _text("original", nullable=True),  # uid of the payment that this one refers to
    _text("refers_to", nullable=True),  # RRN of that payment, while it is missing
    _whole("worth", nullable=True),  # net value to the merchant once approved; negative: owed by the merchant
    _text("code", nullable=True),
    _text("auth_code", nullable=True),
    _text("rrn", nullable=True),
    _text("text", nullable=True),
    _whole("handed_in", nullable=True),  # the hand-in that brought it; NULL: its terminal sent it
    _text("received"),
    _text("answered", nullable=True),
    UniqueConstraint("tid", "uid"),
    CheckConstraint("amount >= 0"),
    CheckConstraint("state IN ('RECEIVED', 'APPROVED', 'DECLINED', 'REVERSED')"),
    Index("payment_batch", "tid", "epoch", "settled_in"),
    Index("payment_body", "tid", "body_counter"),
    Index("payment_card", "pan_token", "atc"),
    Index("payment_rrn", "rrn"),
    Index("payment_refers_to", "refers_to", sqlite_where=text("refers_to IS NOT NULL")),
    Index("payment_original", "original", sqlite_where=text("original IS NOT NULL")),
)

link = _table(
    "link",  # the payment chain: one row per record, in any order
    _whole("id", primary_key=True),
    _text("tid"),
    _whole("epoch"),
    _whole("sequence"),
    _text("uid"),
    _text("previous_tag"),
    _text("tag"),
    _text("recomputed_tag"),
    _text("kind"),
    _text("state"),
    UniqueConstraint("tid", "epoch", "sequence", "uid"),
    CheckConstraint("kind IN ('payment', 'void', 'reversal')"),
    CheckConstraint("state IN ('waits', 'holds', 'broken', 'damaged')"),
)

beginning = _table(
    "beginning",  # an epoch that began when a supervisor cleared a quarantine; a terminal's first epoch has no row
    _text("tid", primary_key=True),
    _whole("epoch", primary_key=True),
    _whole("after", default=0),  # the newest sequence of the previous epoch; this epoch's chain starts after it
    _whole("begun", default=0),  # 1: the terminal has adopted it, so records of older epochs come from another chip
)

tombstone = _table(
    "tombstone",  # reversed before it arrived: always refused
    _text("tid", primary_key=True),
    _text("uid", primary_key=True),
    _text("at"),
)

batch = _table(
    "batch",
    _text("tid", primary_key=True),
    _whole("epoch", primary_key=True),
    _text("number", primary_key=True),
    _text("state"),
    _whole("debit_amount", nullable=True),
    _whole("debit_count", nullable=True),
    _whole("credit_amount", nullable=True),
    _whole("credit_count", nullable=True),
    _whole("uploaded", nullable=True),  # number of records uploaded because the totals differed
    _text("opened"),
    _text("closed", nullable=True),
    CheckConstraint("state IN ('open', 'closed')"),
)

hand_in = _table(
    "hand_in",  # an operator hands in the journal of a terminal that cannot send it
    _whole("id", primary_key=True),
    _text("at"),
    _text("tid"),
    _text("operator"),  # who did it
    _text("digest"),  # SHA-256 of the records
    _text("report", nullable=True),  # JSON; NULL until it ended
)

account = _table("account", _text("name", primary_key=True))

entry = _table(
    "entry",  # double entry: debits positive, credits negative; each payment sums to zero
    _whole("id", primary_key=True),
    _whole("payment_id"),
    Column("account", Text, ForeignKey("account.name"), nullable=False),
    _whole("amount"),
    _text("reason"),
    _text("at"),
    CheckConstraint("amount <> 0"),
    Index("entry_payment", "payment_id"),
)

audit = _table(
    "audit",
    _whole("id", primary_key=True),
    _text("at"),
    _text("tid", nullable=True),
    _text("what"),
    _text("detail"),
)

for _name in ("entry", "audit"):
    for _verb in ("UPDATE", "DELETE"):
        event.listen(
            metadata.tables[_name],
            "after_create",
            DDL(
                f"CREATE TRIGGER {_name}_no_{_verb.lower()} BEFORE {_verb} ON {_name} "
                f"BEGIN SELECT RAISE(ABORT, '{_name} is append-only'); END"
            ),
        )
event.listen(
    batch,
    "after_create",
    DDL(
        "CREATE TRIGGER batch_never_reopens BEFORE UPDATE ON batch WHEN OLD.state = 'closed' "
        "BEGIN SELECT RAISE(ABORT, 'a closed batch stays closed'); END"
    ),
)
