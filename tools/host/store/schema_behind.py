# SPDX-License-Identifier: MIT
"""Tables about who is behind: damaged records, uploads that were asked for, restores, and what they did not bring back."""

from typing import Any

from sqlalchemy import Column, Index, Table, Text

from tools.host.store.schema import WHOLE, index_where, metadata


def _key(name: str, kind: Any = Text) -> Column:
    return Column(name, kind, primary_key=True, autoincrement=False, nullable=False)


def _text(name: str, nullable: bool = False) -> Column:
    return Column(name, Text, nullable=nullable)


def _whole(name: str, default: int | None = None) -> Column:
    return Column(name, WHOLE, nullable=False, default=default)


damaged = Table(
    "damaged",  # records whose seal does not hold; nothing they say is believed, so they move nothing
    metadata,
    _key("tid"),
    _key("digest"),  # SHA-256 of the record
    _whole("epoch"),
    _whole("sequence"),
    _text("uid"),
    _whole("amount"),
    _text("tag"),  # its seal tag
    _text("recomputed"),  # the seal tag that it should have
    _text("at"),
    Index("damaged_sequence", "tid", "epoch", "sequence"),
    sqlite_strict=True,
)

asked = Table(
    "asked",  # batches whose totals differed, so that their records are to be uploaded
    metadata,
    _key("tid"),
    _key("epoch", WHOLE),
    _key("batch"),
    _text("at"),
    _text("ended", nullable=True),  # when the terminal had sent everything it has
    _text("missing", nullable=True),  # JSON: what was missing then, as [first, last]
    sqlite_strict=True,
)

restore = Table(
    "restore",  # the host was behind its terminal, as after a backup was restored
    metadata,
    _key("tid"),
    _key("number", WHOLE),  # of this terminal, from 1
    _text("at"),
    _whole("first_epoch"),  # the epoch that the host knew
    _whole("epoch"),  # the terminal's
    _whole("after"),  # the terminal uploads every record above this sequence
    _whole("newest"),  # the newest sequence that the terminal showed
    _whole("first_batch"),  # the batch that was open here
    _whole("open_batch"),  # the batch that the terminal has open
    _whole("waiting", 0),  # 1: a record could not be decided yet
    _whole("back", 0),  # payments that came back
    _whole("amount", 0),  # their sum, minor units
    Column("pending", WHOLE, nullable=True),  # records that the terminal had yet to send in the usual way at its end
    _text("ended", nullable=True),
    index_where("ended IS NULL", "restore_open", "tid"),
    sqlite_strict=True,
)

lost = Table(
    "lost",  # records that exist nowhere any more
    metadata,
    _key("tid"),
    _key("epoch", WHOLE),
    _key("first", WHOLE),  # sequences from this one
    _whole("last"),  # up to this one
    _text("at"),
    _text("why"),
    sqlite_strict=True,
)

lost_batch = Table(
    "lost_batch",  # batches that the terminal had closed and that were lost with a backup
    metadata,
    _key("tid"),
    _key("epoch", WHOLE),
    _key("number"),
    _whole("restore"),
    _whole("back"),  # payments that came back
    _whole("amount"),  # their sum, minor units
    sqlite_strict=True,
)

held = Table(
    "held",  # uploaded as paid, and refused by the checks: not on the books until people decide
    metadata,
    _key("tid"),
    _key("uid"),
    _whole("epoch"),
    _whole("sequence"),
    _text("batch"),
    _text("type"),
    _whole("amount"),
    _text("code"),
    _text("why"),
    _text("at"),
    Column("mid", Text, nullable=False, server_default=""),  # the merchant it was taken for
    _text("verdict", nullable=True),  # what people decided: operations/held_payments.py; NULL = nothing yet
    _text("by", nullable=True),
    _text("reason", nullable=True),
    _text("ended", nullable=True),  # when they decided it
    index_where("ended IS NULL", "held_open", "tid", "epoch", "sequence"),
    sqlite_strict=True,
)
