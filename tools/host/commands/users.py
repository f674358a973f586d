# SPDX-License-Identifier: MIT
"""The people who may see the host's pages.

    python -m tools.host users add --home DIR --role administrator Li
    python -m tools.host users list --home DIR

A password is asked for, or is the first line of the standard input; it is never an argument, which others could see.
"""

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import Connection

from tools.host.errors import HostError
from tools.host.page import users, words
from tools.host.page.viewer import ROLES
from tools.host.store.ledger import Ledger

_HOME = click.option(
    "--home", type=click.Path(path_type=Path, exists=True), required=True, help="the host's folder"
)  # fmt: skip
_MERCHANT = click.option("--merchant", default="", help="merchant number of a user with the role merchant")


@click.group(help="The people who may see the host's pages; may be used while the host runs.")
def main() -> None:
    pass


@main.command(help="Add a user. The password is asked for, or read from standard input.")
@_HOME
@_MERCHANT
@click.option("--role", type=click.Choice(ROLES), required=True, help="what they may see and do")
@click.argument("name")
def add(home: Path, merchant: str, role: str, name: str) -> None:
    given = _password()
    with _database(home) as db:
        users.add(db, merchant, name, role, given, _me())
    print(f"{name} may log in")


@main.command("list", help="List the users.")
@_HOME
def list_(home: Path) -> None:
    with _database(home) as db:
        for row in users.everyone(db):
            print(f"{row.name:20} {row.role:14} {row.mid or 'all merchants':16} {words.minute(row.at)} {row.by}")


@main.command(help="Remove a user and end their sessions.")
@_HOME
@_MERCHANT
@click.argument("name")
def remove(home: Path, merchant: str, name: str) -> None:
    with _database(home) as db:
        users.remove(db, merchant, name, _me())
    print(f"{name} is removed")


@main.command(help="Give a user another password and end their sessions.")
@_HOME
@_MERCHANT
@click.argument("name")
def password(home: Path, merchant: str, name: str) -> None:
    given = _password()
    with _database(home) as db:
        users.set_password(db, merchant, name, given, _me())
    print(f"{name} has another password")


@contextmanager
def _database(home: Path) -> Iterator[Connection]:
    """A write transaction on the host's database."""
    if not (home / "host.db").exists():
        raise click.ClickException(f"{home} is not a host's folder")
    ledger = Ledger(home / "host.db")
    try:
        with ledger.write() as db:
            yield db
    except HostError as error:
        raise click.ClickException(str(error)) from None
    finally:
        ledger.close()


def _password() -> str:
    if sys.stdin.isatty():
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    return str(given)


def _me() -> str:
    """Who uses the command, for the audit."""
    return f"{getpass.getuser()} (command)"
