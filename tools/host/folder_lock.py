# SPDX-License-Identifier: MIT
"""Locks folders: two processes must not write the same database or flash image."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.host import private_files

_LOCK = ".lock"


class Taken(Exception):
    """Another process uses the folder."""


@contextmanager
def claim(*folders: Path) -> Iterator[None]:
    """Create folders if missing and lock them for this process. Raises Taken if another process holds one.

    The lock ends with the context, or when the process ends.
    """
    locks = []
    try:
        for folder in folders:
            private_files.folder(folder)
            locks.append(open(private_files.touch(folder / _LOCK), "a"))
            try:
                fcntl.flock(locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Taken(f"another process works in {folder}: end it first, or choose another folder") from None
        yield
    finally:
        for lock in locks:
            lock.close()


def contents(folder: Path) -> list[Path]:
    """Every file below a folder, except lock files."""
    return [path for path in folder.rglob("*") if path.name != _LOCK and (path.is_symlink() or not path.is_dir())]


def clear(folder: Path) -> None:
    """Remove every file below a folder, except lock files and the folders that hold them."""
    for path in contents(folder):
        path.unlink()
    for path in sorted(folder.rglob("*"), reverse=True):  # reverse order: contents come before their folder
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
