# SPDX-License-Identifier: MIT
"""Secrets of wallets and acquirers by name, such as private keys and API keys, in one sealed file (sealed_file.py).

The secret is JSON: name -> hex. The passphrase is that of the keys: of keys.sealed, or the PIN of the token.
"""

import json
import re
from collections.abc import Mapping
from pathlib import Path

from tools.host.errors import KeyMissing, SetupError
from tools.host.keys import sealed_file

NAME = "secrets.sealed"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")


def read(home: Path, passphrase: str) -> dict[str, bytes]:
    """All secrets of a host; {} if it has none. Raises SetupError; see sealed_file.read."""
    path = home / NAME
    if not path.exists():
        return {}
    try:
        return {name: bytes.fromhex(value) for name, value in json.loads(sealed_file.read(path, passphrase)).items()}
    except (ValueError, TypeError, AttributeError):
        raise SetupError(f"{path} is no file of secrets") from None


def write(home: Path, held: Mapping[str, bytes], passphrase: str) -> None:
    """Seal all secrets of a host into its file. Raises SetupError for a wrong name, OSError."""
    for name in held:
        if not _NAME.fullmatch(name):
            raise SetupError(f"a secret's name is made of a to z, 0 to 9, - and _, not {name!r}"[:120])
    content = json.dumps({name: value.hex() for name, value in held.items()})
    sealed_file.write(home / NAME, content.encode(), passphrase)


def named(held: Mapping[str, bytes], name: str) -> bytes:
    """One of them. Raises KeyMissing, which does not show the name: it may be a secret."""
    if name not in held:
        raise KeyMissing("there is no secret of this name")
    return held[name]
