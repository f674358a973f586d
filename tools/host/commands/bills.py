# SPDX-License-Identifier: MIT
"""Fetches what each wallet says it did on a day, and compares it with the payments.

    kassa-host bills --home DIR --day 2026-11-28 --by "Ms Li"

Run it each morning for the day before: WeChat Pay makes its bill at 10:00. Doing it again changes nothing.
"""

import datetime
import sys
from pathlib import Path

import click

from tools.host.acquirers.wallets import Wallets
from tools.host.books import differences
from tools.host.books.money import text
from tools.host.commands import house
from tools.host.errors import OperatorError
from tools.host.operations import bills
from tools.host.outside import gateway


@click.command(
    help="Fetch the wallets' bills of a day and compare them. Exit status 1 if one is missing or does not agree."
)
@house.HOME
@house.DATABASE
@click.option("--day", callback=house.day, required=True, help="YYYY-MM-DD")
@click.option("--wallet", "names", multiple=True, help="only this one; its name in acquirers.toml")
@house.BY
def main(home: Path, database: str | None, day: str, names: tuple[str, ...], by: str) -> None:
    with house.ledger(home, database) as ledger:
        _, found = gateway.find(home, ledger, datetime.datetime.now)
        if not isinstance(found, Wallets):
            raise OperatorError(f"{home} has no acquirers.toml")
        if unknown := [name for name in names if name not in found.wallets]:
            raise OperatorError(f"there is no wallet {unknown[0]}; there are: {', '.join(found.wallets)}")
        wanted = [wallet for name, wallet in found.wallets.items() if not names or name in names]
        told = bills.run(ledger, wanted, home / "bills", datetime.date.fromisoformat(day), by)
        with ledger.read() as db:
            left = len(differences.listed(db))
    for one in told:
        if one.done is None:
            click.echo(f"{one.wallet}: not done: {one.trouble}", err=True)
            continue
        before = ", reconciled before" if one.done.before else ""
        click.echo(f"{one.wallet}: {one.done.lines} lines, {text(one.done.amount)}{before}")
    click.echo(f"{left} differences are open")
    if left or any(one.done is None for one in told):
        sys.exit(1)
