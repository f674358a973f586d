# SPDX-License-Identifier: MIT
"""An operator closes the open batch of a terminal that never comes back, with what the host has.

    kassa-host close-batch --home DIR --terminal KASSA001 --by "Ms Li"

See closing.py.
"""

from pathlib import Path

import click

from tools.host.errors import HostError
from tools.host.operations import ask_host, receipt


@click.command(help="Close the open batch of a terminal that never comes back; may be done while the host runs.")
@click.option("--home", type=click.Path(path_type=Path, exists=True), required=True, help="the host's folder")
@click.option("--terminal", required=True, help="terminal id, as shown on the host's page")
@click.option("--by", required=True, help="the name to store in the audit")
@click.option("--despite", is_flag=True, help="although records are missing or payments have no final answer")
def main(home: Path, terminal: str, by: str, despite: bool) -> None:
    try:
        report = ask_host.ask(home, "close-batch", {"terminal": terminal, "by": by, "despite": despite})
    except HostError as error:
        raise click.ClickException(str(error)) from None
    click.echo(receipt.of_closing(report))
