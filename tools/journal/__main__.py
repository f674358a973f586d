# SPDX-License-Identifier: MIT
"""Show a journal, with or without its key: python -m tools.journal IMAGE. Exits with 0 ok, 1 damage, 2 no journal."""

import json
import sys
from pathlib import Path

import click

from tools.journal import show
from tools.journal.image import journal_key
from tools.journal.survey import Survey
from tools.world.flash import CHIP_SIZE, PARTITIONS

_LARGEST = 8 << 20
_SECRET = 32


class Unreadable(click.ClickException):
    """The file cannot be read as a journal."""

    exit_code = 2


@click.command()
@click.argument("image", type=click.Path(path_type=Path))
@click.option(
    "--secret", type=click.Path(path_type=Path), help="The device secret (efuse.bin): check every journal tag."
)
@click.option("--marks", is_flag=True, help="Show the marks as well.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def main(image: Path, secret: Path | None, marks: bool, as_json: bool) -> None:
    """Show the journal in IMAGE: a raw image of its partition or of the whole chip (flash.bin).

    Exit status: 0 no damage, 1 damage found, 2 no readable journal.
    """
    survey = Survey(_journal_in(image), _key(secret))
    if not survey.serials and not survey.blank:
        why = "no sector header" + (" holds under this secret" if secret else "")
        raise Unreadable(f"{image} is not a journal: {why}")
    click.echo(json.dumps(show.as_json(survey, marks)) if as_json else show.as_text(survey, marks))
    sys.exit(1 if survey.damage else 0)


def _journal_in(path: Path) -> bytes:
    data = _read(path, _LARGEST)
    if len(data) == CHIP_SIZE:
        base, size = PARTITIONS["journal"]
        return data[base : base + size]
    if len(data) < 4096:
        raise Unreadable(f"{path} is not a journal: {len(data)} bytes are less than a sector")
    return data


def _key(path: Path | None) -> bytes | None:
    if path is None:
        return None
    secret = _read(path, _SECRET)
    if len(secret) != _SECRET:
        raise Unreadable(f"{path} is not a device secret: {_SECRET} bytes were expected")
    return journal_key(secret)


def _read(path: Path, most: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(most + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise Unreadable(f"{path} cannot be read: {reason}") from None
    if len(data) > most:
        raise Unreadable(f"{path} is too large: the limit is {most} bytes")
    return data


if __name__ == "__main__":
    main()
