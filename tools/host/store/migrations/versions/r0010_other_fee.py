# SPDX-License-Identifier: MIT
"""A difference may be one of the fee. SQLite cannot change a constraint, so its table is made anew."""

import sqlalchemy as sa
from alembic import op

revision = "0010_other_fee"
down_revision = "0009_news"
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_WHAT = (
    "what IN ('missing here', 'missing there', 'other amount', 'other fee', 'twice', 'undone but paid',"
    " 'undecided but paid')"
)
_WORDS = (
    "mid",
    "subject",
    "what",
    "source",
    "reference",
    "tid",
    "uid",
    "day",
    "detail",
    "state",
    "by",
    "why",
    "at",
    "ended",
)
_MAY_BE_NULL = ("tid", "uid", "by", "why", "ended")
_INDEXES = {
    "difference_open": ["mid", "at"],
    "difference_in_time": ["state", "at", "mid", "subject"],
    "difference_of": ["mid", "state", "at", "subject"],
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("difference_what", "difference")
        op.create_check_constraint("difference_what", "difference", _WHAT)
        return
    for name in _INDEXES:
        op.drop_index(name, "difference")
    op.rename_table("difference", "difference_before")
    columns = [sa.Column(name, sa.Text(), nullable=name in _MAY_BE_NULL) for name in _WORDS]
    columns += [sa.Column(name, WHOLE, nullable=False) for name in ("ours", "theirs")]
    op.create_table(
        "difference",
        *columns,
        sa.CheckConstraint(_WHAT, name="difference_what"),
        sa.CheckConstraint("state IN ('open', 'explained', 'found')", name="difference_state"),
        sa.PrimaryKeyConstraint("mid", "subject"),
        sqlite_strict=True,
    )
    names = ", ".join((*_WORDS, "ours", "theirs"))
    op.execute(f"INSERT INTO difference ({names}) SELECT {names} FROM difference_before")
    op.drop_table("difference_before")
    for name, columns in _INDEXES.items():
        where = sa.text("state = 'open'") if name == "difference_open" else None
        op.create_index(name, "difference", columns, sqlite_where=where)
