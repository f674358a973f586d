# SPDX-License-Identifier: MIT
"""Payments that a terminal uploaded as paid and that the checks refused: list them, settle or refuse one.

kassa-host held --home DIR list
kassa-host held --home DIR settle KASSA001 UID --by "Ms Li" --why "the acquirer has it as paid"
"""

from pathlib import Path
from typing import Any

import click

from tools.host.books.money import text
from tools.host.commands import house
from tools.host.operations import held_payments
from tools.host.wire import kinds

_TERMINAL, _UID = click.argument("terminal"), click.argument("uid")
_WHY = click.option("--why", required=True, help="the reason")


@click.group(help="List, settle and refuse payments that are held because they failed the checks of an upload.")
@house.HOME
@house.DATABASE
@click.pass_context
def main(context: click.Context, home: Path, database: str | None) -> None:
    context.obj = context.with_resource(house.ledger(home, database))


@main.command("list", help="Those that nobody has decided about.")
@click.option("--all", "every", is_flag=True, help="also the others")
@click.pass_obj
def show(ledger: Any, every: bool) -> None:
    with ledger.read() as db:
        rows = held_payments.listed(db, every=every)
    for row in rows:
        what = f"{kinds.KINDS[row.type].name} {text(kinds.signed(row.type, row.amount))}"
        click.echo(f"{row.tid}  {row.uid}  record {row.epoch}/{row.sequence}  {what}  {row.code} {row.why}")
        if row.ended:
            click.echo(f"          {row.verdict} {row.ended[:16]} by {row.by}: {row.reason}")


@main.command(help="The merchant gets the amount, with the next settlement.")
@_TERMINAL
@_UID
@house.BY
@_WHY
@click.pass_obj
def settle(ledger: Any, terminal: str, uid: str, by: str, why: str) -> None:
    with ledger.write() as db:
        amount = held_payments.decide(db, terminal, uid, held_payments.SETTLED, by, why)
    click.echo(f"settled; {text(amount)} for the merchant")


@main.command(help="It was not paid: nothing is booked.")
@_TERMINAL
@_UID
@house.BY
@_WHY
@click.pass_obj
def refuse(ledger: Any, terminal: str, uid: str, by: str, why: str) -> None:
    with ledger.write() as db:
        held_payments.decide(db, terminal, uid, held_payments.REFUSED, by, why)
    click.echo("refused; nothing is booked")
