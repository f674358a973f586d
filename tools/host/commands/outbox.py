# SPDX-License-Identifier: MIT
"""What acquirers and wallets are still to be told. What cannot be told is done by hand, and ended here.

kassa-host outbox --home DIR list
kassa-host outbox --home DIR end KASSA001 UID --by "Ms Li" --why "12.50 given back in cash"
"""

from pathlib import Path
from typing import Any

import click

from tools.host.books.money import text
from tools.host.commands import house
from tools.host.operations import outbox_work
from tools.host.outside.outbox import TELL, UNDO
from tools.host.wire import kinds


@click.group(help="List what acquirers and wallets are still to be told; end what was done by hand.")
@house.HOME
@house.DATABASE
@click.pass_context
def main(context: click.Context, home: Path, database: str | None) -> None:
    context.obj = context.with_resource(house.ledger(home, database))


@main.command("list", help="Oldest first.")
@click.pass_obj
def show(ledger: Any) -> None:
    with ledger.read() as db:
        rows = outbox_work.listed(db)
    for row in rows:
        what = f"{row.act} {kinds.KINDS[row.type].name} {text(row.amount)}"
        click.echo(
            f"{row.tid}  {row.uid}  {what}  since {row.at[:16]}, {row.attempts} times: {row.trouble or 'not yet'}"
        )


@main.command(help="It is done by hand: the host tries no more. Nothing is booked; a bill will show the money.")
@click.argument("terminal")
@click.argument("uid")
@click.option("--act", type=click.Choice([UNDO, TELL]), default=UNDO, show_default=True, help="what was to be told")
@house.BY
@click.option("--why", required=True, help="what was done")
@click.pass_obj
def end(ledger: Any, terminal: str, uid: str, act: str, by: str, why: str) -> None:
    with ledger.write() as db:
        amount = outbox_work.end(db, terminal, uid, act, by, why)
    click.echo(f"ended; {text(amount)} is no longer told to anybody")
