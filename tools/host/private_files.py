# SPDX-License-Identifier: MIT
"""Files and folders that only the host's own account may read: files 0600, folders 0700."""

import os
import stat
from pathlib import Path

from tools.host.errors import SetupError

_OTHERS = 0 if os.name == "nt" else stat.S_IRWXG | stat.S_IRWXO  # on Windows a file's mode says nothing


def folder(path: Path) -> Path:
    """Create a folder that only this account may enter, if it is missing. An existing one stays as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def touch(path: Path) -> Path:
    """Create an empty file if it is missing, and take the rights of others from it if it is ours. Raises OSError."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
    found = path.stat()
    if found.st_mode & _OTHERS and found.st_uid == os.geteuid():
        path.chmod(0o600)
    return path


def write(path: Path, data: bytes) -> None:
    """Replace a file at once: after a crash it holds either the old or the new bytes. Raises OSError."""
    new = path.with_name(path.name + ".new")
    new.unlink(missing_ok=True)
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read_secret(path: Path, by_acl: bool = False) -> bytes:
    """The content of a file with keys. Raises SetupError if others may reach it, OSError if it cannot be read.

    `by_acl`: systemd made it and gives it to the service's account by an access control list, whose mask appears as the
    rights of the group (acl(5)).
    """
    with open(path, "rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if mode & _OTHERS & ~(stat.S_IRGRP if by_acl else 0):
            raise SetupError(f"{path} can be read by others (mode {mode:03o}): chmod 600 it; if anybody had access to this "
                             "machine, replace the keys in it")  # fmt: skip
        return file.read()
