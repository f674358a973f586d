# SPDX-License-Identifier: MIT
"""Keeps a terminal from connecting: it was lost, or somebody else may have its keys.

    kassa-host block --home DIR --terminal KASSA001 --reason "lost on the tram" --by "Ms Li"

A running host ends its connections within seconds. What the terminal holds waits in its flash.
"""

from pathlib import Path

import click

from tools.host.errors import HostError
from tools.host.store.open_ledger import open_existing
from tools.host.transactions import terminals


@click.command(help="Keep a terminal from connecting; may be done while the host runs.")
@click.option("--home", type=click.Path(path_type=Path, exists=True), required=True, help="the host's folder")
@click.option("--terminal", required=True, help="terminal id")
@click.option("--reason", required=True, help="why; shown in the log and the audit")
@click.option("--by", required=True, help="the name to store in the audit")
def main(home: Path, terminal: str, reason: str, by: str) -> None:
    if not reason.strip():
        raise click.ClickException("--reason must not be empty")
    try:
        ledger = open_existing(home)
    except HostError as error:
        raise click.ClickException(str(error)) from None
    with ledger.write() as db:
        found = terminals.block(db, terminal, reason, by)
    ledger.close()
    if not found:
        raise click.ClickException(f"terminal {terminal} is not registered")
    click.echo(f"{terminal} is blocked; its payments wait in it")
