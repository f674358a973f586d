# SPDX-License-Identifier: MIT
"""Restores a backup into an empty place, and checks everything.

    kassa-host restore --home DIR --key backup.key.pem FILE
    kassa-host restore --home DIR --database postgresql://... --passphrase-file FILE FILE

Terminals are then ahead of the host: docs/books.md says what comes next.
"""

import sys
from pathlib import Path

import click

from tools.host.commands.audit import show
from tools.host.errors import HostError
from tools.host.folder_lock import Taken, claim
from tools.host.operations import backup, backup_file
from tools.host.store import open_ledger


@click.command(help="Restore FILE into a host's folder without a database. Exit status 1 if the audit finds anything.")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), required=True, help="the host's folder")
@click.option("--database", metavar="URL", help="another place than the settings name")
@click.option("--key", type=click.Path(path_type=Path, exists=True), help="private key (X25519, PEM)")
@click.option(
    "--passphrase-file", type=click.Path(path_type=Path, exists=True), help="its first line is the passphrase"
)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(home: Path, database: str | None, key: Path | None, passphrase_file: Path | None, file: Path) -> None:
    if (key is None) == (passphrase_file is None):
        raise click.UsageError("give --key or --passphrase-file")
    try:
        secret = backup_file.private_key(key) if key else backup_file.passphrase(passphrase_file or Path())
        with claim(home):
            counts, wrong = backup.restore(file, secret, database or open_ledger.database(home), show)
    except (HostError, Taken) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"{sum(counts.values())} rows of {len(counts)} tables are restored")
    if wrong:
        sys.exit(1)
