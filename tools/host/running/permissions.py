# SPDX-License-Identifier: MIT
"""The host's folder is its user's alone: folders 0700, files 0600."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from tools.host.errors import SetupError

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_SHOWN = 5


def keep_private() -> None:
    """Whatever this process creates from now on is its user's alone."""
    os.umask(_OTHERS)


def check(home: Path) -> None:
    """Raises SetupError if others may use the folder or anything in it; says which, and how to mend it."""
    found = list(_open_to_others(home))
    if found:
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        listed = ", ".join(f"{path} ({stat.S_IMODE(mode):04o})" for path, mode in found[:_SHOWN])
        raise SetupError(
            f"others may use {listed}{more}: keys and payments are in there. To mend it: chmod -R go= {home}"
        )


def _open_to_others(home: Path) -> Iterator[tuple[Path, int]]:
    for path in (home, *sorted(home.rglob("*"))):
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            continue
        if not stat.S_ISLNK(mode) and mode & _OTHERS:  # a link's own mode means nothing
            yield path, mode
