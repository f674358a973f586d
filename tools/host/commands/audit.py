# SPDX-License-Identifier: MIT
"""Recomputes the books from raw rows, and prints what does not agree.

    kassa-host audit --home DIR

May be done while the host runs: it looks at one moment, and changes nothing.
"""

import sys
from pathlib import Path

import click

from tools.host.books import full_audit
from tools.host.commands import house
from tools.host.store.ledger import Ledger


@click.command(help="Recompute everything and print what does not agree. Exit status 1 if anything does not.")
@house.HOME
@house.DATABASE
def main(home: Path, database: str | None) -> None:
    with house.ledger(home, database) as ledger:
        count = show(ledger)
    if count:
        sys.exit(1)


def show(ledger: Ledger) -> int:
    """Print what does not agree; returns how many lines."""
    count = 0
    with ledger.read() as db, house.progress_bar() as bar:
        task = bar.add_task("payments", total=None)
        for line in full_audit.differences(db, lambda done, all: bar.update(task, completed=done, total=all)):
            count += 1
            click.echo(line)
    click.echo(f"{count} differences" if count else "everything agrees")
    return count
