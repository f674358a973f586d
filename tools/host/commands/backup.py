# SPDX-License-Identifier: MIT
"""Backs up the host's database into an encrypted file, while the host runs.

    kassa-host backup --home DIR --to backup.pem FILE
    kassa-host backup --home DIR --passphrase-file FILE FILE

Keys and certificates are files of the host's folder, and are not in it (docs/keys.md).
"""

from pathlib import Path

import click

from tools.host.commands import house
from tools.host.operations import backup, backup_file


@click.command(help="Back up the database into FILE, encrypted; may be done while the host runs.")
@house.HOME
@house.DATABASE
@click.option(
    "--to", type=click.Path(path_type=Path, exists=True), help="public key (X25519, PEM) of who can restore it"
)
@click.option(
    "--passphrase-file", type=click.Path(path_type=Path, exists=True), help="its first line is the passphrase"
)
@click.argument("file", type=click.Path(path_type=Path))
def main(home: Path, database: str | None, to: Path | None, passphrase_file: Path | None, file: Path) -> None:
    if (to is None) == (passphrase_file is None):
        raise click.UsageError("give --to or --passphrase-file: a backup is always encrypted")
    with house.ledger(home, database) as ledger:
        key = backup_file.public_key(to) if to else backup_file.passphrase(passphrase_file or Path())
        counts = backup.save(ledger, file, key)
    click.echo(f"{sum(counts.values())} rows of {len(counts)} tables, {file.stat().st_size} bytes in {file}")
