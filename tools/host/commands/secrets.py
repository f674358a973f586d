# SPDX-License-Identifier: MIT
"""The secrets of wallets and acquirers: private keys, API keys. acquirers.toml names them; secrets.sealed holds them.

kassa-host secrets --home DIR put wechat-key apiclient_key.pem
kassa-host secrets --home DIR list
kassa-host secrets --home DIR remove wechat-key
"""

from pathlib import Path
from typing import IO

import click

from tools.host.errors import HostError
from tools.host.keys import passphrase, secret_file

_MOST = 65536  # bytes of one secret


@click.group(help=(__doc__ or "").partition("\n")[0])
@click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False, exists=True), required=True, help="the host's folder"
)
@click.pass_context
def main(context: click.Context, home: Path) -> None:
    context.obj = home


@main.command(
    help="Seal what FILE holds under NAME, instead of what is there. FILE - is standard input. Destroy it then."
)
@click.argument("name")
@click.argument("file", type=click.File("rb"))
@click.pass_obj
def put(home: Path, name: str, file: IO[bytes]) -> None:
    content = file.read(_MOST + 1).strip()
    if not 0 < len(content) <= _MOST:
        raise click.ClickException(f"a secret has 1 to {_MOST} bytes")
    words = _passphrase(home)
    _write(home, {**_read(home, words), name: content}, words)
    click.echo(f"{name} is sealed in {home / secret_file.NAME}; a running host takes it at its next start")


@main.command("list", help="List the names.")
@click.pass_obj
def list_(home: Path) -> None:
    for name, value in sorted(_read(home, _passphrase(home)).items()):
        click.echo(f"{name:40} {len(value)} bytes")


@main.command(help="Remove one.")
@click.argument("name")
@click.pass_obj
def remove(home: Path, name: str) -> None:
    words = _passphrase(home)
    held = _read(home, words)
    if held.pop(name, None) is None:
        raise click.ClickException(f"there is no secret {name!r}")
    _write(home, held, words)
    click.echo(f"{name} is removed")


def _passphrase(home: Path) -> str:
    try:
        return passphrase.find(new=not (home / secret_file.NAME).exists())
    except HostError as error:
        raise click.ClickException(str(error)) from None


def _read(home: Path, words: str) -> dict[str, bytes]:
    try:
        return secret_file.read(home, words)
    except HostError as error:
        raise click.ClickException(str(error)) from None


def _write(home: Path, held: dict[str, bytes], words: str) -> None:
    try:
        secret_file.write(home, held, words)
    except (HostError, OSError) as error:
        raise click.ClickException(str(error)) from None
