# SPDX-License-Identifier: MIT
"""The merchant's certification authority. It runs on a machine of its own, not on the host: docs/host-keys.md.

kassa-host ca --folder CA init "Old Street Teahouse"
kassa-host ca --folder CA host kassa.example.com --csr host.csr --out host.pem
kassa-host ca --folder CA terminal KASSA001 --csr KASSA001.csr --out KASSA001.pem
kassa-host ca --folder CA revoke KASSA001
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from cryptography.hazmat.primitives.serialization import Encoding

from tools.host import private_files
from tools.host.errors import HostError
from tools.host.keys import authority, passphrase, pki
from tools.host.keys.authority import Authority

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_OUT = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="file to write; else printed")


@click.group(help=(__doc__ or "").partition("\n")[0])
@click.option(
    "--folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("ca"),
    show_default=True,
    help="the CA's folder",
)
@click.pass_context
def main(context: click.Context, folder: Path) -> None:
    context.obj = folder


@main.command(help="Make the CA of a merchant. Its passphrase is asked for.")
@click.argument("merchant")
@click.option("--take", type=click.Path(path_type=Path, exists=True, file_okay=False),
              help="take ca.pem and ca.key.pem from this folder; delete them there afterwards")  # fmt: skip
@click.pass_obj
def init(folder: Path, merchant: str, take: Path | None) -> None:
    with _said():
        identity = pki.Identity.load(take, "ca") if take else pki.authority(merchant)
        Authority.create(folder, identity, passphrase.find(passphrase.CA, new=True))
    click.echo(f"the CA is in {folder}, until {identity.certificate.not_valid_after_utc:%Y-%m-%d}; copy ca.pem and "
               "crl.pem to the host")  # fmt: skip


@main.command("request", help="On the host: make its key, if it has none, and a signing request for the CA.")
@click.argument("name")
@click.option("--home", type=click.Path(path_type=Path, file_okay=False), required=True, help="the host's folder")
def request(name: str, home: Path) -> None:
    with _said():
        key = pki.host_key(home)
        private_files.write(home / "host.csr", pki.signing_request(key, name))
    click.echo(f"{home / 'host.csr'} is for the CA: kassa-host ca host {name} --csr host.csr --out host.pem")


@main.command(help="Sign the host's certificate. NAME: its DNS name, as the terminals call it.")
@click.argument("name")
@click.option("--csr", type=_FILE, required=True, help="signing request of the host, or its public key (PEM)")
@_OUT
@click.pass_obj
def host(folder: Path, name: str, csr: Path, out: Path | None) -> None:
    with _said():
        certificate = Authority.open(folder).host(name, authority.public_key(csr.read_bytes()))
        _put(out, certificate.public_bytes(Encoding.PEM))


@main.command(help="Sign a terminal's certificate.")
@click.argument("tid")
@click.option("--csr", type=_FILE, required=True, help="signing request of the terminal, or its public key (PEM)")
@_OUT
@click.pass_obj
def terminal(folder: Path, tid: str, csr: Path, out: Path | None) -> None:
    with _said():
        certificate = Authority.open(folder).terminal(tid, authority.public_key(csr.read_bytes()))
        _put(out, certificate.public_bytes(Encoding.PEM))


@main.command(
    help="Sign new certificates for the keys that terminals have. The host offers them: kassa-host terminals renew."
)
@click.argument("tids", nargs=-1)
@click.option("--within", type=click.IntRange(1), help="all terminals whose certificate ends within so many days")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="folder for TID.pem")
@click.pass_obj
def renew(folder: Path, tids: tuple[str, ...], within: int | None, out: Path) -> None:
    with _said():
        names: set[str] = {*tids, *(authority.ending(folder, within) if within else [])}
        signer = Authority.open(folder)
        for tid in sorted(names):
            certificate = signer.renew(tid)
            private_files.write(private_files.folder(out) / f"{tid}.pem", certificate.public_bytes(Encoding.PEM))
            click.echo(f"{tid} until {certificate.not_valid_after_utc:%Y-%m-%d}")
    if not names:
        click.echo("no certificate is to be renewed")


@main.command(help="Revoke a certificate (WHICH: its serial number), or all of a terminal or host (its name).")
@click.argument("which")
@click.pass_obj
def revoke(folder: Path, which: str) -> None:
    with _said():
        done = Authority.open(folder).revoke(which)
    for row in done:
        click.echo(f"revoked {row.serial} of {row.name}")
    click.echo(f"copy {folder / 'crl.pem'} to the host")


@main.command("list", help="Show every certificate that was signed.")
@click.pass_obj
def list_(folder: Path) -> None:
    with _said():
        rows = authority.listed(folder)
    for row in rows:
        state = f"revoked {row.revoked[:10]}" if row.revoked else f"until {row.ends[:10]}"
        click.echo(f"{row.name:<24} {row.kind:<9} {state:<19} {row.serial}")


@contextmanager
def _said() -> Iterator[None]:
    """Errors as a line for the operator."""
    try:
        yield
    except (HostError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None


def _put(out: Path | None, data: bytes) -> None:
    if out is None:
        click.echo(data.decode(), nl=False)
    else:
        private_files.write(out, data)
