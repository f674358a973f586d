# SPDX-License-Identifier: MIT
"""A supervisor clears a terminal's quarantine, or writes off records that are permanently missing.

    python -m tools.host clear --home DIR --terminal KASSA001 --supervisor "Ms Li"

Releases the held money. The terminal starts a new epoch and a new batch when it next connects.
"""

from pathlib import Path

import click

from tools.host.errors import HostError
from tools.host.store.ledger import Ledger


@click.command(help="Clear a terminal's quarantine; may be done while the host runs.")
@click.option("--home", type=click.Path(path_type=Path, exists=True), required=True, help="the host's folder")
@click.option("--terminal", required=True, help="terminal id, as shown on the host's page")
@click.option("--supervisor", required=True, help="the name to store in the audit")
def main(home: Path, terminal: str, supervisor: str) -> None:
    if not (home / "host.db").exists():
        raise click.ClickException(f"{home} is not a host's folder")
    ledger = Ledger(home / "host.db")
    try:
        ledger.clear_quarantine(terminal, supervisor)
    except HostError as error:
        raise click.ClickException(str(error)) from None
    finally:
        ledger.close()
    print(f"{terminal} is cleared; a new epoch begins when it connects")
