# SPDX-License-Identifier: MIT
"""A payment is disputed: its money is withheld from the merchant until the dispute ends.

kassa-host dispute --home DIR begin 633312345678 --amount 12.50 --by "Ms Li" --why "not received"
kassa-host dispute --home DIR won 633312345678 --by "Ms Li" --why "slip was sent"
"""

from pathlib import Path
from typing import Any

import click

from tools.host.books import disputes, money
from tools.host.commands import house

_REFERENCE = click.argument("reference")
_WHY = click.option("--why", required=True, help="the reason")


@click.group(help="Withhold a disputed payment, and say how the dispute ended. REFERENCE: the payment's RRN.")
@house.HOME
@house.DATABASE
@click.pass_context
def main(context: click.Context, home: Path, database: str | None) -> None:
    context.obj = context.with_resource(house.ledger(home, database))


@main.command(help="Withhold an amount from the merchant.")
@_REFERENCE
@click.option("--amount", required=True, help="like 12.50")
@house.BY
@_WHY
@click.pass_obj
def begin(ledger: Any, reference: str, amount: str, by: str, why: str) -> None:
    try:
        value = money.parse(amount)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    with ledger.write() as db:
        disputes.begin(db, reference, value, by, why)


@main.command(help="The merchant gets it back.")
@_REFERENCE
@house.BY
@_WHY
@click.pass_obj
def won(ledger: Any, reference: str, by: str, why: str) -> None:
    with ledger.write() as db:
        disputes.end(db, reference, disputes.WON, by, why)


@main.command(help="The acquirer or wallet takes it.")
@_REFERENCE
@house.BY
@_WHY
@click.pass_obj
def lost(ledger: Any, reference: str, by: str, why: str) -> None:
    with ledger.write() as db:
        disputes.end(db, reference, disputes.LOST, by, why)
