# SPDX-License-Identifier: MIT
"""Compares what an acquirer or wallet says it paid with the payments, and books the money.

    kassa-host reconcile --home DIR --from card --by "Ms Li" FILE.csv

docs/books.md describes the file. What does not agree is listed by `differences`.
"""

import sys
from pathlib import Path

import click

from tools.host.books import differences
from tools.host.books.money import text
from tools.host.commands import house
from tools.host.operations import reconcile
from tools.host.outside import outbox


@click.command(
    help="Compare FILE with the payments; may be done while the host runs. Exit status 1 if anything is open."
)
@house.HOME
@house.DATABASE
@click.option("--from", "source", type=click.Choice(["card", "wallet"]), required=True, help="who says so")
@house.BY
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(home: Path, database: str | None, source: str, by: str, file: Path) -> None:
    with house.ledger(home, database) as ledger:
        with house.progress_bar() as bar:
            task = bar.add_task("lines", total=None)
            done = reconcile.run(ledger, file, source, by, lambda at, all: bar.update(task, completed=at, total=all))
        with ledger.read() as db:
            left = len(differences.listed(db))
            untold = outbox.open_rows(db)
    before = ", which was reconciled before" if done.before else ""
    click.echo(f"{done.lines} lines, {text(done.amount)}{before}; {left} differences are open")
    if untold:
        most = "or more " if len(untold) == 200 else ""
        click.echo(
            f"{len(untold)} {most}voids, tips and reversals are not told yet, the oldest since {untold[0].at[:16]}"
        )
    if left:
        sys.exit(1)
