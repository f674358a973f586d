# SPDX-License-Identifier: MIT
"""The terminals that this host knows, and their keys. May be done while the host runs.

    kassa-host terminals --home DIR list
    kassa-host terminals --home DIR add KASSA001 898000000000001
    kassa-host terminals --home DIR rekey KASSA001 --by "Ms Li" --out KASSA001.tr31
    kassa-host terminals --home DIR replace KASSA001 --by "Ms Li"
    kassa-host terminals --home DIR renew KASSA001.pem

See docs/host-keys.md.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from cryptography import x509
from sqlalchemy import select

from tools.host import private_files
from tools.host.errors import HostError, SetupError
from tools.host.keys import host_keys
from tools.host.keys.file_store import FileStore
from tools.host.store import open_ledger
from tools.host.store.ledger import Ledger
from tools.host.store.schema import terminal as table
from tools.host.tables import renewal
from tools.host.transactions import terminal_keys, terminals

_BY = click.option("--by", required=True, help="the name to store in the audit")
_ID, _MERCHANT = re.compile("[0-9A-Za-z]{8}"), re.compile("[0-9A-Za-z]{15}")


@click.group(help=(__doc__ or "").partition("\n")[0])
@click.option("--home", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True,
              help="the host's folder")  # fmt: skip
@click.pass_context
def main(context: click.Context, home: Path) -> None:
    context.obj = home


@main.command(help="Register a terminal whose initial key another system loads. make provision registers its own.")
@click.argument("tid")
@click.argument("merchant")
@click.option("--key-id", help="initial key id, 16 hex digits; without it a new one")
@click.option("--kbpk", help="name of a key block protection key: print the initial key in a TR-31 block under it")
@click.pass_obj
def add(home: Path, tid: str, merchant: str, key_id: str | None, kbpk: str | None) -> None:
    if not _ID.fullmatch(tid) or not _MERCHANT.fullmatch(merchant):
        raise click.UsageError("a terminal id has 8 letters and digits, a merchant id 15")
    with _ledger(home) as ledger:
        keys = host_keys.find(home)
        if kbpk and not isinstance(keys, FileStore):
            raise SetupError("only keys in keys.sealed have named key block protection keys")
        if ledger.knows(tid):
            raise SetupError(f"terminal {tid} is registered already; see rekey and replace")
        with ledger.write() as db:
            ikid = _key_id(key_id) if key_id else terminal_keys.new_id(db, _bdk(keys.bdk_ids))
            shown = keys.check_value(ikid)  # before anything is stored: its BDK, or the KBPK, may not be here
            block = keys.key_block(ikid, keys.kbpk(kbpk)) if kbpk and isinstance(keys, FileStore) else b""
            terminal_keys.register(db, tid, merchant, ikid)
    click.echo(f"{tid} of {merchant}: key {ikid.hex()}, check value {shown}")
    if block:
        click.echo(block.decode())


@main.command(help="Plan a new key for a terminal, and make the TR-31 block that brings it. The old key holds until the "
              "terminal first uses the new one.")  # fmt: skip
@click.argument("tid")
@_BY
@click.option("--bdk-id", help="below another base derivation key, 8 hex digits")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="file for the block")
@click.pass_obj
def rekey(home: Path, tid: str, by: str, bdk_id: str | None, out: Path) -> None:
    with _ledger(home) as ledger:
        keys = host_keys.find(home)
        with ledger.write() as db:
            known = terminal_keys.plan(db, tid, by, _bdk(keys.bdk_ids, bdk_id) if bdk_id else None)
            assert known.next_ikid is not None
            block, shown = keys.renewal_block(known.ikid, known.next_ikid), keys.check_value(known.next_ikid)
            private_files.write(out, block)
    click.echo(f"{tid}: key {known.next_ikid.hex()}, check value {shown}, in {out}")


@main.command(
    help="A new device is to have this terminal id: provision it next. What the old one holds can still be handed in."
)
@click.argument("tid")
@_BY
@click.pass_obj
def replace(home: Path, tid: str, by: str) -> None:
    with _ledger(home) as ledger, ledger.write() as db:
        known = terminal_keys.plan(db, tid, by, other_device=True)
    assert known.next_ikid is not None
    click.echo(f"{tid} waits for a new device, with key {known.next_ikid.hex()}: make provision, with this terminal id")
    click.echo(
        "The old device works until the new one is provisioned. Is it lost or stolen? Then revoke its certificate now:"
    )
    click.echo(f"  kassa-host ca revoke {tid}   and copy crl.pem to the host")


@main.command(help="Offer new certificates (FILES, from kassa-host ca renew) to their terminals, which fetch them when they "
              "next connect.")  # fmt: skip
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.pass_obj
def renew(home: Path, files: tuple[Path, ...]) -> None:
    with _ledger(home) as ledger:
        try:
            ca = x509.load_pem_x509_certificate((home / "ca.pem").read_bytes())
            crl = home / "crl.pem"
            revoked = x509.load_pem_x509_crl(crl.read_bytes()) if crl.exists() else None
            certificates = [x509.load_pem_x509_certificate(file.read_bytes()) for file in files]
        except ValueError as error:
            raise SetupError(f"not a certificate in PEM: {error}") from None
        with ledger.write() as db:
            tids = [renewal.offer(db, certificate, ca, revoked) for certificate in certificates]
    click.echo(f"offered to {', '.join(tids)}")


@main.command("list", help="Show the terminals with their keys.")
@click.pass_obj
def list_(home: Path) -> None:
    with _ledger(home) as ledger, ledger.read() as db:
        for tid in db.execute(select(table.c.tid).order_by(table.c.tid)).scalars().all():
            known = terminals.load(db, tid, lock=False)
            if known is None:
                continue
            more = [f"had {ikid.hex()}" for ikid in known.earlier]
            if known.next_ikid:
                more.append(f"will have {known.next_ikid.hex()}{' on a new device' if known.awaits_device else ''}")
            if known.quarantine:
                more.append("in quarantine")
            click.echo(f"{tid}  {known.mid:<15}  key {known.ikid.hex()}  {'; '.join(more)}".rstrip())


@contextmanager
def _ledger(home: Path) -> Iterator[Ledger]:
    """The host's database. Errors become a line for the operator."""
    try:
        ledger = open_ledger.open_existing(home)
    except HostError as error:
        raise click.ClickException(str(error)) from None
    try:
        yield ledger
    except (HostError, OSError) as error:
        raise click.ClickException(str(error)) from None
    finally:
        ledger.close()


def _key_id(text: str) -> bytes:
    try:
        ikid = bytes.fromhex(text)
    except ValueError:
        ikid = b""
    if len(ikid) != 8:
        raise SetupError(f"{text!r} is not an initial key id of 16 hex digits")
    return ikid


def _bdk(there: tuple[bytes, ...], text: str | None = None) -> bytes:
    """The base derivation key to use: the one named, or the only one. Raises SetupError."""
    wanted = [one for one in there if text is None or one.hex() == text.lower()]
    if len(wanted) != 1:
        known = ", ".join(one.hex() for one in there)
        raise SetupError(f"which base derivation key? {text or 'None'} of {known or 'none'}")
    return wanted[0]
