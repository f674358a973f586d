# SPDX-License-Identifier: MIT
"""Settles a day: what each merchant gets for the batches that closed, as CSV, and a payment file for the bank.

    kassa-host settle --home DIR --day 2026-11-28

Doing it again changes nothing, and writes the same files.
"""

import datetime
import sys
from pathlib import Path

import click

from tools.host.books import payment_file
from tools.host.books.money import text
from tools.host.commands import house
from tools.host.operations import settle_day


@click.command(help="Settle a day for all merchants; may be done while the host runs. Exit status 1 if some are not.")
@house.HOME
@house.DATABASE
@click.option("--day", callback=house.day, required=True, help="YYYY-MM-DD; its batches, and any left from before")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="folder for the files (HOME/settlements)")
def main(home: Path, database: str | None, day: str, out: Path | None) -> None:
    if day > f"{datetime.date.today()}":
        raise click.ClickException(f"{day} is not over")
    with house.ledger(home, database) as ledger:
        try:
            done = settle_day.run(ledger, day, out or home / "settlements", payment_file.payer(home))
        except OSError as error:  # what is settled stays settled
            raise click.ClickException(f"the files cannot be written: {error}; settle again once they can") from None
    for row in done.rows:
        parts = f"sales {text(row.sales)}, refunds {text(row.refunds)}, fee {text(row.fee)}, before {text(row.carried)}"
        click.echo(f"{row.mid}  {text(row.net)} {row.currency}  ({parts}; payout {row.payout})")
    click.echo(f"{len(done.rows)} settlements of {day}, {done.new} new, {sum(row.net for row in done.rows if row.net > 0)}"
               f" to pay, in minor units")  # fmt: skip
    for path in done.files:
        click.echo(f"  {path}")
    for problem in done.trouble:
        click.echo(f"not done: {problem}", err=True)
    if done.trouble:
        sys.exit(1)
