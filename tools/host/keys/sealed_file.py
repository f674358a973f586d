# SPDX-License-Identifier: MIT
"""A secret in a file, encrypted under a passphrase: scrypt (RFC 7914) and AES-256-GCM (SP 800-38D).

The file is JSON: `format` 1, scrypt's `salt`, `n`, `r`, `p`, the `nonce`, and `sealed`, all bytes in hex. What is not
sealed is authenticated.
"""

import json
import os
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tools.host import private_files
from tools.host.errors import SetupError

_COST = 1 << 17  # scrypt's N: 128 MiB and about half a second, once at the start
_MOST_COST = 1 << 20
_HEADER = ("format", "salt", "n", "r", "p")


def read(path: Path, passphrase: str) -> bytes:
    """Open a sealed file. Raises SetupError: others can read it, wrong passphrase, changed or damaged."""
    try:
        row = json.loads(private_files.read_secret(path))
        sealed, nonce = bytes.fromhex(row["sealed"]), bytes.fromhex(row["nonce"])
        if row["format"] != 1 or not 1 < row["n"] <= _MOST_COST or (row["r"], row["p"]) != (8, 1):
            raise SetupError(f"{path} has an unknown format")
        return AESGCM(_key(row, passphrase)).decrypt(nonce, sealed, _clear(row))
    except InvalidTag:
        raise SetupError(f"{path}: wrong passphrase, or the file was changed") from None
    except OSError as error:
        raise SetupError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise SetupError(f"{path} is no sealed file") from None


def write(path: Path, secret: bytes, passphrase: str) -> None:
    """Seal a secret into a file, with a new salt and nonce. Raises OSError."""
    row: dict[str, Any] = {"format": 1, "salt": os.urandom(16).hex(), "n": _COST, "r": 8, "p": 1}
    nonce = os.urandom(12)
    sealed = AESGCM(_key(row, passphrase)).encrypt(nonce, secret, _clear(row))
    private_files.write(path, json.dumps({**row, "nonce": nonce.hex(), "sealed": sealed.hex()}, indent=1).encode())


def _key(row: dict[str, Any], passphrase: str) -> bytes:
    salt = bytes.fromhex(row["salt"])
    return Scrypt(salt=salt, length=32, n=row["n"], r=row["r"], p=row["p"]).derive(passphrase.encode())


def _clear(row: dict[str, Any]) -> bytes:
    """The part of the file that is not encrypted, as authenticated."""
    return json.dumps([row[name] for name in _HEADER]).encode()
