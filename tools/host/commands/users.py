# SPDX-License-Identifier: MIT
"""The people who may see the host's pages.

    kassa-host users add --home DIR --role administrator Li
    kassa-host users list --home DIR

A password is asked for, or is the first line of the standard input; it is never an argument, which others could see.
"""

import getpass
import sys
from pathlib import Path

import click

from tools.host.commands import house
from tools.host.page import users, words
from tools.host.page.viewer import ROLES

_MERCHANT = click.option("--merchant", default="", help="merchant number of a user with the role merchant")


@click.group(help="The people who may see the host's pages; may be used while the host runs.")
def main() -> None:
    pass


@main.command(help="Add a user. The password is asked for, or read from standard input.")
@house.HOME
@house.DATABASE
@_MERCHANT
@click.option("--role", type=click.Choice(ROLES), required=True, help="what they may see and do")
@click.argument("name")
def add(home: Path, database: str | None, merchant: str, role: str, name: str) -> None:
    given = _password()
    with house.ledger(home, database) as ledger, ledger.write() as db:
        users.add(db, merchant, name, role, given, _me())
    print(f"{name} may log in")


@main.command("list", help="List the users.")
@house.HOME
@house.DATABASE
def list_(home: Path, database: str | None) -> None:
    with house.ledger(home, database) as ledger, ledger.write() as db:
        for row in users.everyone(db):
            print(f"{row.name:20} {row.role:14} {row.mid or 'all merchants':16} {words.minute(row.at)} {row.by}")


@main.command(help="Remove a user and end their sessions.")
@house.HOME
@house.DATABASE
@_MERCHANT
@click.argument("name")
def remove(home: Path, database: str | None, merchant: str, name: str) -> None:
    with house.ledger(home, database) as ledger, ledger.write() as db:
        users.remove(db, merchant, name, _me())
    print(f"{name} is removed")


@main.command(help="Give a user another password and end their sessions.")
@house.HOME
@house.DATABASE
@_MERCHANT
@click.argument("name")
def password(home: Path, database: str | None, merchant: str, name: str) -> None:
    given = _password()
    with house.ledger(home, database) as ledger, ledger.write() as db:
        users.set_password(db, merchant, name, given, _me())
    print(f"{name} has another password")


def _password() -> str:
    if sys.stdin.isatty():
        given = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        given = sys.stdin.readline().rstrip("\r\n")
    return str(given)


def _me() -> str:
    """Who uses the command, for the audit."""
    return f"{getpass.getuser()} (command)"
