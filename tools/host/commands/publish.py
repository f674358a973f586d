# SPDX-License-Identifier: MIT
"""Publishes a table for all terminals, which fetch it when they next connect. The host may be running.

    kassa-host publish --home DIR blocked-bins 622202 99
    kassa-host publish --home DIR applications FILE.json

docs/wire.md describes the files under Tables.
"""

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from tools.host.errors import HostError, SetupError
from tools.host.store import host_folder, open_ledger
from tools.host.tables import coverage, publication
from tools.host.tables.card_entries import Application, Authority, Revocation
from tools.host.tables.publication import Tables
from tools.host.tables.terminal_settings import OfflineApproval, OfflineLimits, Settling, pack_page, pack_wallets

_SETTINGS: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "merchant_name": (0x03, lambda value: value.encode()),
    "offline_limits": (0x0C, lambda value: OfflineLimits(**value).pack()),
    "largest_sale": (0x10, lambda value: value.to_bytes(6, "big")),
    "offline_approval": (0x11, lambda value: OfflineApproval(**value).pack()),
    "settling": (0x12, lambda value: Settling(**value).pack()),
    "receipt_page": (0x21, pack_page),
    "wallets": (0x16, lambda value: pack_wallets([(name, label) for name, label in value])),
}
# Limits of a terminal: beyond them it would refuse the whole table.
_MOST_ROWS, _MOST_NAME, _MOST_OFFLINE, _MOST_RECORDS = 24, 60, 500, 900
_IN_HEX = ("aid", "denial", "online", "rid", "modulus", "checksum", "serial")
_FILE = click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))


@click.group(help=(__doc__ or "").partition("\n")[0])
@click.option("--home", type=click.Path(path_type=Path, exists=True), required=True, help="the host's folder")
@click.pass_context
def main(context: click.Context, home: Path) -> None:
    try:
        host_folder.check(home)
    except HostError as error:
        raise click.ClickException(str(error)) from None
    context.obj = home


@main.command(help="FILE: a JSON object of terminal settings.")
@_FILE
@click.pass_obj
def parameters(home: Path, file: Path) -> None:
    _publish(home, publication.PARAMETERS, file, _parameters)


@main.command("ca-keys", help="FILE: a JSON list of scheme keys and revoked issuer certificates.")
@_FILE
@click.pass_obj
def ca_keys(home: Path, file: Path) -> None:
    _publish(home, publication.CA_KEYS, file, lambda rows: publication.ca_keys(_key(**_bytes(row)) for row in rows))


@main.command(
    help="FILE: a JSON list of the accepted applications (AIDs), each with its kernel, limits and action codes."
)
@_FILE
@click.pass_obj
def applications(home: Path, file: Path) -> None:
    _publish(home, publication.APPLICATIONS, file, _applications)


@main.command(
    "blocked-bins", help="The whole list of card number prefixes that are not accepted offline; none = block no card."
)
@click.argument("bins", nargs=-1)
@click.pass_obj
def blocked_bins(home: Path, bins: tuple[str, ...]) -> None:
    _publish(home, publication.BLOCKED_BINS, None, lambda _: publication.blocked_bins(bins))


def _publish(home: Path, network: str, file: Path | None, pack: Callable[[Any], bytes]) -> None:
    try:
        version = _tables(home).publish(
            network, pack(json.loads(file.read_text()) if file else None), getpass.getuser()
        )
    except json.JSONDecodeError as error:
        raise click.ClickException(f"not published: {file} is not JSON: {error}") from None
    except UnicodeDecodeError:
        raise click.ClickException(f"not published: {file} is not JSON") from None
    except (SetupError, ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise click.ClickException(f"not published: {error}") from None
    print(f"table {network} is now version {version}; terminals fetch it when they connect")


def _tables(home: Path) -> Tables:
    return Tables(open_ledger.open_existing(home))


def _parameters(values: dict[str, Any]) -> bytes:
    """Table 360. Raises ValueError for a value that a terminal would refuse."""
    if not isinstance(values, dict):
        raise ValueError("a JSON object of settings is wanted")
    many = values.get("offline_limits", {}).get("count", 0), values.get("settling", {}).get("count", 0)
    if len(values.get("merchant_name", "").encode()) > _MOST_NAME:
        raise ValueError(f"merchant_name has more than {_MOST_NAME} bytes")
    if many[0] > _MOST_OFFLINE or many[1] > _MOST_RECORDS:
        raise ValueError(f"a count exceeds {_MOST_OFFLINE} offline payments or {_MOST_RECORDS} records")
    shown = [("merchant_name", values.get("merchant_name", ""))]
    shown += [("wallets", label) for _, label in values.get("wallets", ())]
    for name, problem in ((name, problem) for name, text in shown for problem in coverage.missing(text)):
        click.echo(f"warning: {name}: {problem}; a question mark will be shown instead", err=True)
    packed = {}
    for name, value in values.items():
        if name not in _SETTINGS:
            raise ValueError(f"there is no setting {name!r}; there are: {', '.join(_SETTINGS)}")
        number, pack = _SETTINGS[name]
        packed[number] = pack(value)
    return publication.parameters(packed)


def _applications(rows: list[dict[str, Any]]) -> bytes:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("a JSON list of objects is wanted")
    if len(rows) > _MOST_ROWS:
        raise ValueError(f"more than {_MOST_ROWS} applications")
    return publication.applications(Application(**_bytes(row)) for row in rows)


def _key(**row: Any) -> Authority | Revocation:
    return Revocation(**row) if "serial" in row else Authority(**row)


def _bytes(row: dict[str, Any]) -> dict[str, Any]:
    return {name: bytes.fromhex(value) if name in _IN_HEX else value for name, value in row.items()}
