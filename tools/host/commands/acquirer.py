# SPDX-License-Identifier: MIT
"""Settles a day with the card acquirer, and reads its daily file.

    kassa-host acquirer --home DIR settle --day 2026-11-28
    kassa-host acquirer --home DIR report THEIRS.csv FILE.csv

docs/acquirer.md says when.
"""

import asyncio
import datetime
import sys
from pathlib import Path

import click

from tools.host.acquirers.card import report, settlement
from tools.host.acquirers.card.acquirer import CardAcquirer
from tools.host.acquirers.card.settlement import Settled
from tools.host.books.money import text
from tools.host.commands import house
from tools.host.errors import OperatorError
from tools.host.outside import gateway
from tools.host.store.ledger import Ledger


@click.group(help="The card acquirer of HOME/acquirers.toml.")
@house.HOME
@house.DATABASE
@click.pass_context
def main(context: click.Context, home: Path, database: str | None) -> None:
    context.obj = home, database


@main.command(help="Settle a day: send its totals and list what differs. Exit status 1 if anything does.")
@click.option("--day", callback=house.day, required=True, help="the acquirer's day, YYYY-MM-DD")
@click.option("--anyway", is_flag=True, help="also while something has no final answer yet")
@click.pass_obj
def settle(where: tuple[Path, str | None], day: str, anyway: bool) -> None:
    home, database = where
    with house.ledger(home, database) as ledger:
        done = asyncio.run(_settle(_acquirer(home, ledger), datetime.date.fromisoformat(day), anyway))
    for each in done:
        sums = f"debits {text(each.ours['debit_amount'])}, credits {text(each.ours['credit_amount'])}"
        click.echo(f"{each.currency}  {sums}  {'balanced' if each.balanced else 'DIFFERS'}")
        for name in each.differences:
            click.echo(f"  {name}: ours {each.ours[name]}, the acquirer's {each.theirs[name]}")
    if not all(each.balanced for each in done):
        sys.exit(1)


@main.command("report", help="Turn the acquirer's daily file THEIRS into FILE, for kassa-host reconcile --from card.")
@click.argument("theirs", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def report_(where: tuple[Path, str | None], theirs: Path, file: Path) -> None:
    home, database = where
    with house.ledger(home, database) as ledger:
        lines, strangers = report.convert(ledger, _acquirer(home, ledger).dialect, theirs, file)
    click.echo(f"{lines} lines, {strangers} of them about no transaction of ours")


async def _settle(acquirer: CardAcquirer, day: datetime.date, anyway: bool) -> list[Settled]:
    try:
        return await settlement.settle(acquirer, day, anyway)
    finally:
        await acquirer.close()


def _acquirer(home: Path, ledger: Ledger) -> CardAcquirer:
    issuer, _ = gateway.find(home, ledger, datetime.datetime.now)
    if not isinstance(issuer, CardAcquirer):
        raise OperatorError(f"{home} has no card acquirer: [card] of acquirers.toml")
    return issuer
