# SPDX-License-Identifier: MIT
"""A supervisor clears a terminal's quarantine, or writes off records that are permanently missing.

    kassa-host clear --home DIR --terminal KASSA001 --supervisor "Ms Li"

Lists what would be written off, and does it only with --write-off and the exact count. Releases the held money. The
terminal starts a new epoch and a new batch when it next connects.
"""

from pathlib import Path

import click

from tools.host.errors import HostError
from tools.host.operations import ask_host
from tools.host.transactions import clear_terminal


@click.command(help="Clear a terminal's quarantine; may be done while the host runs.")
@click.option("--home", type=click.Path(path_type=Path, exists=True), required=True, help="the host's folder")
@click.option("--terminal", required=True, help="terminal id, as shown on the host's page")
@click.option("--supervisor", "--by", required=True, help="the name to store in the audit")
@click.option("--write-off", type=int, help="give up so many records: the exact number that is missing")
def main(home: Path, terminal: str, supervisor: str, write_off: int | None) -> None:
    try:
        report = ask_host.ask(home, "clear", {"terminal": terminal, "by": supervisor, "write_off": write_off})
    except HostError as error:
        raise click.ClickException(str(error)) from None
    if report["refused"]:
        raise click.ClickException(clear_terminal.words(report))
    click.echo(clear_terminal.words(report))
