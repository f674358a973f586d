# SPDX-License-Identifier: MIT
"""Makes the folder of a new settlement host.

kassa-host init /var/lib/kassa-host
"""

from pathlib import Path

import click
from rich.console import Console

from tools.host import settings_file
from tools.host.errors import HostError
from tools.host.running import permissions
from tools.host.store import open_ledger
from tools.host.store.ledger import Ledger

_NEXT = r"""[bold]{home} is ready.[/] Next:
  1. Keys: kassa-host keys --home {home} init, then add-bdk.
  2. Certificates: kassa-host ca, on another machine; docs/host-keys.md has the steps. The host needs ca.pem,
     host.pem and host.key.pem in its folder.
  3. Settings: edit {file}. \[outside] gateway names who decides card and code payments; without it nobody does.
  4. Start it: kassa-host run {home}
docs/host.md has the settings, and how to run it under systemd."""


@click.command(help="Make the folder of a new host, private to its user, with a settings file and an empty database.")
@click.argument("home", type=click.Path(path_type=Path, file_okay=False))
def main(home: Path) -> None:
    permissions.keep_private()
    path = home / settings_file.FILE
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.exists():
            settings_file.load(home)
            raise click.ClickException(f"{home} is a host's folder already")
        permissions.check(home)
        with path.open("x", encoding="utf-8") as file:
            file.write(settings_file.template())
        Ledger(open_ledger.database(home)).close()
    except (HostError, OSError) as error:
        raise click.ClickException(str(error)) from None
    Console(highlight=False, soft_wrap=True).print(_NEXT.format(home=home, file=path))
