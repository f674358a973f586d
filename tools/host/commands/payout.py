# SPDX-License-Identifier: MIT
"""Says what the bank did with a payout.

kassa-host payout --home DIR paid MID 2026-11-28 --by "Ms Li"
kassa-host payout --home DIR failed MID 2026-11-28 --by "Ms Li" --why "account closed"
"""

from pathlib import Path
from typing import Any

import click

from tools.host.books import settlement
from tools.host.commands import house

_DAY = click.argument("day", callback=house.day)


@click.group(help="Say that the bank has paid out a settlement, or that the payout failed.")
@house.HOME
@house.DATABASE
@click.pass_context
def main(context: click.Context, home: Path, database: str | None) -> None:
    context.obj = context.with_resource(house.ledger(home, database))


@main.command(help="The bank has paid.")
@click.argument("mid")
@_DAY
@house.BY
@click.pass_obj
def paid(ledger: Any, mid: str, day: str, by: str) -> None:
    with ledger.write() as db:
        settlement.paid(db, mid, day, by)


@main.command(help="The bank did not pay, or the money came back: the next settlement carries it.")
@click.argument("mid")
@_DAY
@house.BY
@click.option("--why", required=True, help="what the bank says")
@click.pass_obj
def failed(ledger: Any, mid: str, day: str, by: str, why: str) -> None:
    with ledger.write() as db:
        settlement.failed(db, mid, day, by, why)
