# SPDX-License-Identifier: MIT
"""What does not agree with an acquirer or wallet: list it, and explain it.

kassa-host differences --home DIR list
kassa-host differences --home DIR explain 1a2b3c4d --by "Ms Li" --why "paid back by the acquirer" --to bank
"""

from pathlib import Path
from typing import Any

import click

from tools.host.books import differences
from tools.host.books.money import text
from tools.host.commands import house


@click.group(help="List and explain what does not agree with an acquirer or wallet.")
@house.HOME
@house.DATABASE
@click.pass_context
def main(context: click.Context, home: Path, database: str | None) -> None:
    context.obj = context.with_resource(house.ledger(home, database))


@main.command("list", help="The open ones, oldest first.")
@click.option("--all", "every", is_flag=True, help="also those that have ended")
@click.pass_obj
def show(ledger: Any, every: bool) -> None:
    with ledger.read() as db:
        rows = differences.listed(db, every=every)
    for row in rows:
        sums = f"ours {text(row.ours)}, theirs {text(row.theirs)}"
        click.echo(
            f"{differences.number(row)}  {row.day}  {row.what}  {row.mid or '-'}  {row.reference}  {sums}  {row.detail}"
        )
        if row.ended:
            click.echo(f"          {row.state} {row.ended[:16]} by {row.by}{': ' + row.why if row.why else ''}")


@main.command(help="Close NUMBER with a reason.")
@click.argument("number")
@house.BY
@click.option("--why", required=True, help="the reason")
@click.option("--to", type=click.Choice(list(differences.DESTINATIONS)), help="where its money in suspense belongs")
@click.pass_obj
def explain(ledger: Any, number: str, by: str, why: str, to: str | None) -> None:
    with ledger.write() as db:
        moved = differences.explain(db, number, by, why, to)
    click.echo(f"explained; {text(moved)} left suspense")
