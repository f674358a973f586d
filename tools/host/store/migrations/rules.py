# SPDX-License-Identifier: MIT
"""Rules that the database itself keeps: what is append-only, and that a closed batch stays closed."""

from collections.abc import Iterator

_APPEND_ONLY = "{0} is append-only"
_CLOSED = "a closed batch stays closed"


def statements(dialect: str, append_only: tuple[str, ...]) -> Iterator[str]:
    """The statements that make the rules, for "sqlite" or "postgresql". `append_only`: names of tables."""
    for table in append_only:
        for verb in ("UPDATE", "DELETE"):
            yield from _rule(dialect, f"{table}_no_{verb.lower()}", verb, table, _APPEND_ONLY.format(table))


def closed_batches(dialect: str) -> Iterator[str]:
    """The statements that keep closed batches closed."""
    yield from _rule(dialect, "batch_never_reopens", "UPDATE", "batch", _CLOSED, "OLD.state = 'closed'")


def _rule(dialect: str, name: str, verb: str, table: str, words: str, when: str = "") -> Iterator[str]:
    if dialect == "sqlite":
        condition = f"WHEN {when} " if when else ""
        yield f"CREATE TRIGGER {name} BEFORE {verb} ON {table} {condition}BEGIN SELECT RAISE(ABORT, '{words}'); END"
        return
    condition = f"WHEN ({when}) " if when else ""
    yield (
        f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{words}'; END $$"
    )
    yield f"CREATE TRIGGER {name} BEFORE {verb} ON {table} FOR EACH ROW {condition}EXECUTE FUNCTION {name}()"
