# SPDX-License-Identifier: MIT
"""The merchants: where their money goes, and what they pay.

kassa-host merchants --home DIR add MID --name "Tea shop" --account 6222... --bic ICBKCNBJ --fee 60 --by "Ms Li"
kassa-host merchants --home DIR list
"""

from pathlib import Path
from typing import Any

import click

from tools.host.books import merchants
from tools.host.books.money import text
from tools.host.commands import house

_NAME = click.option("--name", help="as the account is held")
_ACCOUNT = click.option("--account", help="IBAN, or account number")
_BIC = click.option("--bic", help="the bank's BIC")
_FEE = click.option("--fee", type=int, help="basis points of sales: 60 is 0.60 %")


@click.group(help="Add, list and change merchants; may be done while the host runs.")
@house.HOME
@house.DATABASE
@click.pass_context
def main(context: click.Context, home: Path, database: str | None) -> None:
    context.obj = context.with_resource(house.ledger(home, database))


@main.command(help="Add a merchant.")
@click.argument("mid")
@_NAME
@_ACCOUNT
@_BIC
@_FEE
@click.option("--currency", default="CNY", show_default=True, help="ISO 4217")
@house.BY
@click.pass_obj
def add(ledger: Any, mid: str, by: str, **values: Any) -> None:
    missing = [name for name, value in values.items() if value is None]
    if missing:
        raise click.UsageError(f"--{missing[0]} is missing")
    with ledger.write() as db:
        merchants.add(db, mid, by, **values)


@main.command(help="Change some of a merchant's values.")
@click.argument("mid")
@_NAME
@_ACCOUNT
@_BIC
@_FEE
@house.BY
@click.pass_obj
def change(ledger: Any, mid: str, by: str, **values: Any) -> None:
    with ledger.write() as db:
        merchants.change(db, mid, by, **values)


@main.command("list", help="List the merchants.")
@click.pass_obj
def show(ledger: Any) -> None:
    with ledger.read() as db:
        for row in merchants.every(db):
            click.echo(f"{row.mid}  {row.name}  {row.account}  {row.bic}  {text(row.fee)} %  {row.currency}")
