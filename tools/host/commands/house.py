# SPDX-License-Identifier: MIT
"""What the commands about the books share: the host's folder, its database, and how faults are said."""

import datetime
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from tools.host.errors import HostError
from tools.host.store.ledger import Ledger

HOME = click.option("--home", type=click.Path(path_type=Path, exists=True), required=True, help="the host's folder")
DATABASE = click.option("--database", metavar="URL", help="PostgreSQL URL, if the database is not HOME/host.db")
BY = click.option("--by", required=True, help="your name, for the audit")


@contextmanager
def ledger(home: Path, database: str | None) -> Iterator[Ledger]:
    """The host's database. Faults end the command with one line."""
    try:
        opened = Ledger(_where(home, database))
        try:
            yield opened
        finally:
            opened.close()
    except HostError as error:
        raise click.ClickException(str(error)) from None


def _where(home: Path, database: str | None) -> Path | str:
    if database is None and not (home / "host.db").exists():
        raise click.ClickException(f"{home} is not a host's folder")
    return database or home / "host.db"


def day(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """Check a day, YYYY-MM-DD."""
    try:
        return None if value is None else f"{datetime.date.fromisoformat(value)}"
    except ValueError:
        raise click.BadParameter(f"{value!r} is not a day like 2026-11-29") from None


def progress_bar() -> Progress:
    """A progress bar on the terminal; nothing if the output goes elsewhere."""
    console = Console(stderr=True)
    return Progress(console=console, transient=True, disable=not console.is_terminal)
