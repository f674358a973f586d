# SPDX-License-Identifier: MIT
"""Support bundles: python -m tools.support keys|pull|open|hand-in. A bundle holds the sealed journal and no secret."""

import json
import os
from pathlib import Path

import click
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tools.host.errors import HostError
from tools.support import bundle
from tools.support.bundle import BundleError
from tools.support.console import ConsoleError, Found, pull

_FILE = click.Path(path_type=Path)


class NotHandedIn(click.ClickException):
    """Nothing was handed in."""

    exit_code = 2


@click.group(help="Support bundles of terminals in safe mode (docs/support.md).")
def main() -> None:
    pass


@main.command()
@click.argument("private", type=_FILE)
@click.argument("public", type=_FILE)
def keys(private: Path, public: Path) -> None:
    """Create a key pair: PRIVATE stays with support, PUBLIC goes to the shops. Overwrites nothing."""
    for path in (private, public):
        if path.exists():
            raise click.ClickException(f"{path} exists already; nothing was written")
    key = X25519PrivateKey.generate()
    pem = serialization.Encoding.PEM
    secret = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        _create(private, secret, 0o600)
        _create(public, key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo), 0o644)
    except OSError as error:
        raise click.ClickException(str(error)) from None


@main.command("pull")
@click.option("--port", required=True, help="serial port of the terminal, such as /dev/ttyACM0")
@click.option("--key", type=_FILE, required=True, help="support's public key (PEM)")
@click.option("--out", type=_FILE, required=True, help="the bundle to write; must not exist")
def pull_command(port: str, key: Path, out: Path) -> None:
    """Read a terminal in safe mode into an encrypted bundle. Changes nothing on the terminal."""
    to = _key(key, private=False)
    assert isinstance(to, X25519PublicKey)
    if out.exists():
        raise click.ClickException(f"{out} exists already; give another file")
    try:
        found = pull(port)
        _create(out, bundle.seal(found, to), 0o600)
    except (ConsoleError, OSError) as error:
        raise click.ClickException(str(error)) from None
    _show(found)
    click.echo(f"wrote {out}")


@main.command("open")
@click.argument("sealed", type=_FILE)
@click.option("--key", type=_FILE, required=True, help="support's private key (PEM)")
@click.option("--out", type=_FILE, required=True, help="folder for journal.bin and info.json; must not exist")
def open_command(sealed: Path, key: Path, out: Path) -> None:
    """Open a bundle. `python -m tools.journal OUT/journal.bin` then shows its payments."""
    private = _key(key, private=True)
    assert isinstance(private, X25519PrivateKey)
    try:
        found = bundle.unseal(sealed.read_bytes(), private)
        out.mkdir(mode=0o700)
        _create(out / "journal.bin", found.journal, 0o600)
        info = {**found.info, "unreadable": found.unreadable}
        _create(out / "info.json", json.dumps(info, indent=1).encode(), 0o600)
    except (BundleError, OSError) as error:
        raise click.ClickException(str(error)) from None
    _show(found)


@main.command("hand-in")
@click.argument("source", type=_FILE, required=False)
@click.option("--port", help="serial port of the terminal in safe mode, instead of SOURCE")
@click.option("--key", type=_FILE, help="the private key (PEM) of a bundle")
@click.option("--home", type=_FILE, required=True, help="the merchant's host's folder")
@click.option("--by", required=True, help="who hands it in; stored in the host's audit")
@click.option("--terminal", help="terminal id; otherwise found by the seals of the records")
@click.option("--deferred", default="", metavar="N,N", help="held records that a receipt shows as taken: hand them in")
@click.option(
    "--reverse", default="", metavar="N,N", help="records paid at the host and unanswered at the terminal: undo"
)
@click.option("--json", "as_json", is_flag=True, help="print the report as JSON")
def hand_in_command(
    source: Path | None,
    port: str | None,
    key: Path | None,
    home: Path,
    by: str,
    terminal: str | None,
    deferred: str,
    reverse: str,
    as_json: bool,
) -> None:
    """Hand in the payments of a broken terminal to the merchant's host, on the host's machine.

    SOURCE: a bundle (with --key), the folder of an opened one, or a journal image. Nothing is booked twice.

    Exit status: 0 everything has its final answer; 1 something needs attention; 2 nothing was handed in.
    """
    from tools.host.operations import ask_host, operator_work, receipt
    from tools.support import hand_in

    if (source is None) == (port is None):
        raise click.UsageError("give either a bundle or the port of a terminal in safe mode, not both")
    if not by.strip():
        raise NotHandedIn("say who hands it in: --by NAME")
    if not any((home / name).exists() for name in ("host.db", operator_work.FILE)):
        raise NotHandedIn(f"{home} is not a host's folder")
    try:
        found = pull(port) if port else _found(source, key)
        wanted = hand_in.request(found, by, terminal, _sequences(deferred), _sequences(reverse))
        report = ask_host.ask(home, "hand-in", wanted)
    except OSError as error:
        raise NotHandedIn(f"{error.filename or source or port} cannot be read: {error.strerror or error}") from None
    except (HostError, ConsoleError, BundleError, ValueError) as error:
        raise NotHandedIn(str(error)) from None
    click.echo(json.dumps(report) if as_json else receipt.of_hand_in(report))
    if not report["complete"]:
        raise SystemExit(1)


def _found(source: Path | None, key: Path | None) -> Found:
    """What a bundle, the folder of an opened one, or an image holds. Raises BundleError, OSError, ClickException."""
    from tools.support import hand_in

    assert source is not None
    if key is None:
        return hand_in.opened(source)
    private = _key(key, private=True)
    assert isinstance(private, X25519PrivateKey)
    return bundle.unseal(hand_in.read(source), private)


def _sequences(text: str) -> list[int]:
    """Numbers of records, separated by commas. Raises ValueError."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdigit() for part in parts):
        raise ValueError(f"{text}: numbers of records are wanted, such as 7,9")
    return [int(part) for part in parts]


def _key(path: Path, private: bool) -> X25519PrivateKey | X25519PublicKey:
    """The X25519 key in a PEM file. Raises ClickException."""
    try:
        data = path.read_bytes()
        key = serialization.load_pem_private_key(data, None) if private else serialization.load_pem_public_key(data)
    except OSError as error:
        raise click.ClickException(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        wanted = "private" if private else "public"
        raise click.ClickException(f"{path} is not a {wanted} key made by `python -m tools.support keys`") from None
    if not isinstance(key, X25519PrivateKey if private else X25519PublicKey):
        raise click.ClickException(f"{path} is not an X25519 key")
    return key


def _create(path: Path, data: bytes, mode: int) -> None:
    """Write a new file. Raises OSError if it exists."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)


def _show(found: Found) -> None:
    for name, value in found.info.items():
        click.echo(f"{name:10}{value}")
    pages = sum(found.journal[at : at + 256] != b"\xff" * 256 for at in range(0, len(found.journal), 256))
    click.echo(f"journal   {pages} pages written, {len(found.unreadable)} unreadable")


if __name__ == "__main__":
    main()
