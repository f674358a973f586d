# SPDX-License-Identifier: MIT
"""Lets a blocked terminal connect again.

kassa-host unblock --home DIR --terminal KASSA001 --by "Ms Li"
"""

from pathlib import Path

import click

from tools.host.errors import HostError
from tools.host.store.open_ledger import open_existing
from tools.host.transactions import terminals


@click.command(help="Let a blocked terminal connect again; may be done while the host runs.")
@click.option("--home", type=click.Path(path_type=Path, exists=True), required=True, help="the host's folder")
@click.option("--terminal", required=True, help="terminal id")
@click.option("--by", required=True, help="the name to store in the audit")
def main(home: Path, terminal: str, by: str) -> None:
    try:
        ledger = open_existing(home)
    except HostError as error:
        raise click.ClickException(str(error)) from None
    with ledger.write() as db:
        found = terminals.unblock(db, terminal, by)
    ledger.close()
    if not found:
        raise click.ClickException(f"terminal {terminal} is not blocked")
    click.echo(f"{terminal} may connect again")
