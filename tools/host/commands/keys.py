# SPDX-License-Identifier: MIT
"""The host's secret keys: base derivation keys (BDKs), key block protection keys (KBPKs), the key of card number tokens.

    kassa-host keys --home DIR init
    kassa-host keys --home DIR add-bdk 31415926 --components 3
    kassa-host keys --home DIR list

They are in keys.sealed, or in the PKCS#11 token that the settings name. See docs/host-keys.md.
"""

import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from psec import tr31

from tools.host import private_files
from tools.host.errors import HostError, SetupError
from tools.host.keys import file_store, host_keys, passphrase
from tools.host.keys.file_store import Secrets
from tools.host.keys.key_store import check_value

_SIZE = 16  # bytes of a BDK or KBPK
_COMPONENTS = click.IntRange(2, 9)


@click.group(help=(__doc__ or "").partition("\n")[0])
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), required=True, help="the host's folder")
@click.pass_context
def main(context: click.Context, home: Path) -> None:
    context.obj = home


@main.command(
    help="Make the key store, with a new token key and no BDK. Takes over keys.json and token.key, if they are there."
)
@click.option("--bdk-id", help="the BDK id of the key in keys.json, 8 hex digits")
@click.pass_obj
def init(home: Path, bdk_id: str | None) -> None:
    with _said():
        private_files.folder(home)
        where = host_keys.place(home)
        held = _taken_over(home, bdk_id)
        if where.module:
            store = host_keys.token(where, passphrase.find())
            store.put_token_key(held.token)
            for name, key in held.bdks.items():
                store.put_bdk(name, key)
            store.close()
        elif where.file.exists():
            raise SetupError(f"{where.file} is there already")
        else:
            file_store.write(where.file, held, passphrase.find(new=True))
    click.echo(f"the key store is ready; its BDKs: {_names(held.bdks) or 'none yet, see add-bdk'}")
    for name in (name for name in host_keys.OLD if (home / name).exists()):
        click.echo(f"now destroy {home / name}, and its copies: its keys are in clear (shred -u)")


@main.command(
    "add-bdk", help="Add a base derivation key. BDK_ID: 8 hex digits, the first half of every initial key id below it."
)
@click.argument("bdk_id")
@click.option("--new", is_flag=True, help="a random key, which nobody ever sees")
@click.option(
    "--components", type=_COMPONENTS, help="so many components, each typed by another person, combined by XOR"
)
@click.option("--block", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="a TR-31 block, see --kbpk")
@click.option("--kbpk", help="name of the key that opens the block")
@click.pass_obj
def add_bdk(home: Path, bdk_id: str, new: bool, components: int | None, block: Path | None, kbpk: str | None) -> None:
    if (new, bool(components), bool(block)).count(True) != 1 or bool(block) != bool(kbpk):
        raise click.UsageError("one of --new, --components N, or --block FILE with --kbpk NAME is wanted")
    with _said():
        name, where = _id(bdk_id), host_keys.place(home)
        if where.module:
            if block:
                raise SetupError("a PKCS#11 token takes no TR-31 block: use --components, or the vendor's own tools")
            store = host_keys.token(where, passphrase.find())
            if new:
                store.make_bdk(name)
            else:
                store.put_bdk(name, _typed(components or 0))
            store.close()
            click.echo(f"BDK {bdk_id.upper()} is in the token")
            return
        secret = passphrase.find()
        held = file_store.read(where.file, secret)
        if name in held.bdks:
            raise SetupError(f"there is a base derivation key {bdk_id} already")
        if block:
            held.bdks[name] = _unwrapped(held, str(kbpk), block)
        else:
            held.bdks[name] = secrets.token_bytes(_SIZE) if new else _typed(components or 0)
        file_store.write(where.file, held, secret)
    click.echo(
        f"BDK {bdk_id.upper()}: check value {check_value(held.bdks[name])}; a running host has it after a restart"
    )


@main.command(
    "add-kbpk", help="Add a key block protection key, under which another system sends its BDKs or gets initial keys."
)
@click.argument("name")
@click.option("--components", type=_COMPONENTS, required=True, help="so many components, combined by XOR")
@click.pass_obj
def add_kbpk(home: Path, name: str, components: int) -> None:
    with _said():
        where = _file(home)
        secret = passphrase.find()
        held = file_store.read(where.file, secret)
        if name in held.kbpks:
            raise SetupError(f"there is a key block protection key {name!r} already")
        held.kbpks[name] = _typed(components)
        file_store.write(where.file, held, secret)
    click.echo(f"KBPK {name}: check value {check_value(held.kbpks[name])}")


@main.command("list", help="Show which keys there are, and their check values.")
@click.pass_obj
def list_(home: Path) -> None:
    with _said():
        where = host_keys.place(home)
        if where.module:
            store = host_keys.token(where, passphrase.find())
            for name in store.bdk_ids:
                click.echo(f"BDK   {name.hex().upper()}")
            click.echo(f"token key: {'there' if store.has_token_key else 'MISSING'}")
            store.close()
            return
        held = file_store.read(where.file, passphrase.find())
    for name, key in sorted(held.bdks.items()):
        click.echo(f"BDK   {name.hex().upper()}  check value {check_value(key)}")
    for title, key in sorted(held.kbpks.items()):
        click.echo(f"KBPK  {title}  check value {check_value(key)}")


@main.command("passphrase", help=f"Change the passphrase. The old one is asked for as {passphrase.BEFORE}.")
@click.pass_obj
def change(home: Path) -> None:
    with _said():
        where = _file(home)
        held = file_store.read(where.file, passphrase.find(passphrase.BEFORE))
        file_store.write(where.file, held, passphrase.find(new=True))
    click.echo("the new passphrase holds")


@contextmanager
def _said() -> Iterator[None]:
    """Errors as a line for the operator."""
    try:
        yield
    except (HostError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _file(home: Path) -> host_keys.Place:
    where = host_keys.place(home)
    if where.module:
        raise SetupError("the keys are in a PKCS#11 token: use the vendor's own tools")
    return where


def _taken_over(home: Path, bdk_id: str | None) -> Secrets:
    """New secrets, with what the files of earlier versions hold. Raises SetupError."""
    held = Secrets()
    if (home / "token.key").exists():
        held.token = (home / "token.key").read_bytes()
    if (home / "keys.json").exists():
        if bdk_id is None:
            raise SetupError("keys.json is to be taken over: say its --bdk-id")
        try:
            held.bdks[_id(bdk_id)] = bytes.fromhex(json.loads((home / "keys.json").read_text())["bdk"])
        except (ValueError, KeyError, TypeError):
            raise SetupError('keys.json must hold {"bdk": hex}') from None
    if len(held.token) != 32 or any(len(key) != _SIZE for key in held.bdks.values()):
        raise SetupError("keys.json or token.key holds no key")
    if host_keys.TEST_BDK in held.bdks.values():
        raise SetupError(
            "the key in keys.json is the published test key: make a new one, and provision every terminal again"
        )
    return held


def _typed(components: int) -> bytes:
    """A key from components that are typed unseen. Each is confirmed by its check value."""
    key = bytes(_SIZE)
    for number in range(1, components + 1):
        while True:
            text = click.prompt(f"component {number} of {components}, 32 hex digits", hide_input=True).replace(" ", "")
            try:
                part = bytes.fromhex(text)
            except ValueError:
                part = b""
            if len(part) == _SIZE and click.confirm(f"check value {check_value(part)}: is that right?"):
                break
        key = bytes(a ^ b for a, b in zip(key, part, strict=True))
    if not any(key):
        raise SetupError("the components cancel each other out")
    return key


def _unwrapped(held: Secrets, kbpk: str, block: Path) -> bytes:
    """The BDK in a TR-31 block (usage B0). Raises SetupError."""
    if kbpk not in held.kbpks:
        raise SetupError(f"there is no key block protection key {kbpk!r}")
    try:
        header, key = tr31.unwrap(held.kbpks[kbpk], block.read_text().strip())
    except (tr31.KeyBlockError, tr31.HeaderError, ValueError) as error:
        raise SetupError(f"{block}: {error}") from None
    if header.key_usage != "B0" or header.algorithm != "A" or len(key) != _SIZE:
        raise SetupError(f"{block} holds no AES-128 base derivation key (usage B0)")
    return key


def _id(text: str) -> bytes:
    try:
        name = bytes.fromhex(text)
    except ValueError:
        name = b""
    if len(name) != 4:
        raise SetupError(f"{text!r} is not a BDK id of 8 hex digits")
    return name


def _names(bdks: dict[bytes, bytes]) -> str:
    return ", ".join(name.hex().upper() for name in sorted(bdks))
