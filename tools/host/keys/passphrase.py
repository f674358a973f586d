# SPDX-License-Identifier: MIT
"""Where a passphrase comes from. Never from the command line or the settings file, which others can see.

In this order: a credential of systemd (`LoadCredential=kassa-passphrase:/path`, in $CREDENTIALS_DIRECTORY); the file
that an environment variable names; the terminal.
"""

import functools
import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path

from tools.host import private_files
from tools.host.errors import SetupError

KEYS, CA, BEFORE = "kassa-passphrase", "kassa-ca-passphrase", "kassa-old-passphrase"
_SHORTEST = 12  # characters of a new one

Passphrase = Callable[[], str]  # raises SetupError


def find(name: str = KEYS, new: bool = False) -> str:
    """The passphrase called KEYS, CA or BEFORE. `new`: it is chosen now, so it is asked for twice.

    Raises SetupError if there is none, if its file can be read by others, or if a new one is too short.
    """
    found = _from_file(name)
    if found is None:
        found = _asked(name, new)
    if not found or new and len(found) < _SHORTEST:
        raise SetupError(f"{name}: a passphrase has at least {_SHORTEST} characters")
    return found


def once() -> Passphrase:
    """The passphrase KEYS for whoever opens several files at a start: it is asked for once. See find."""
    return functools.cache(find)


def variable(name: str) -> str:
    """The environment variable that names the passphrase's file, such as KASSA_PASSPHRASE_FILE."""
    return name.upper().replace("-", "_") + "_FILE"


def _from_file(name: str) -> str | None:
    credentials, named = os.environ.get("CREDENTIALS_DIRECTORY"), os.environ.get(variable(name))
    places = [(Path(credentials) / name, True)] if credentials else []
    for path, of_systemd in places + ([(Path(named), False)] if named else []):
        try:
            return private_files.read_secret(path, of_systemd).decode().rstrip("\r\n")
        except FileNotFoundError:
            if not of_systemd:
                raise SetupError(f"{variable(name)}: {path} does not exist") from None
        except (OSError, UnicodeDecodeError) as error:
            raise SetupError(f"{path}: {error}") from None
    return None


def _asked(name: str, new: bool) -> str:
    if not sys.stdin.isatty():
        raise SetupError(f"the passphrase is missing: give it as the systemd credential {name}, or in a file that "
                         f"{variable(name)} names (docs/host-keys.md)")  # fmt: skip
    found = getpass.getpass(f"{name}: ")
    if new and getpass.getpass("once more: ") != found:
        raise SetupError("the two passphrases differ")
    return found
