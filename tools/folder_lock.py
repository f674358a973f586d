# SPDX-License-Identifier: MIT
"""One process to a folder: two would write one database, one flash image."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LOCK = ".lock"


class Taken(Exception):
    """Another process works in the folder."""


@contextmanager
def claim(*folders: Path) -> Iterator[None]:
    """Keep folders, made where they are missing, for this process. Raises Taken. The claim ends with the process at the latest."""
    locks = []
    try:
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
            locks.append(open(folder / _LOCK, "a"))
            try:
                fcntl.flock(locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Taken(f"another process works in {folder}: end it first, or name another folder") from None
        yield
    finally:
        for lock in locks:
            lock.close()


def contents(folder: Path) -> list[Path]:
    """Every file below a folder but the marks of claims."""
    return [path for path in folder.rglob("*") if path.name != _LOCK and (path.is_symlink() or not path.is_dir())]


def clear(folder: Path) -> None:
    """Remove every file below a folder. The marks of claims, and the folders they are in, stay."""
    for path in contents(folder):
        path.unlink()
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder comes before it
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
