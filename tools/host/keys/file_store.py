# SPDX-License-Identifier: MIT
"""The host's keys in one sealed file (sealed_file.py).

The secret is JSON: `bdks` (id -> key), `kbpks` (name -> key), `token`, all in hex.
"""

import hmac
import json
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from tools.host.errors import KeyMissing, SetupError
from tools.host.keys import dukpt, sealed_file
from tools.host.keys.key_store import Derivation, missing

NAME = "keys.sealed"


@dataclass(slots=True)
class Secrets:
    """Keys in clear. `bdks`: by BDK id (4 bytes), 16 bytes each. `kbpks`: by name. `token`: 32 bytes."""

    bdks: dict[bytes, bytes] = field(default_factory=dict, repr=False)
    kbpks: dict[str, bytes] = field(default_factory=dict, repr=False)
    token: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)


class FileStore(Derivation):
    """A key store (key_store.py) with its keys in this process's memory."""

    def __init__(self, held: Secrets) -> None:
        self._bdks = dict(held.bdks)
        self._kbpks = dict(held.kbpks)
        self._token = held.token

    @property
    def bdk_ids(self) -> tuple[bytes, ...]:
        """See KeyStore."""
        return tuple(sorted(self._bdks))

    def kbpk(self, name: str) -> bytes:
        """A key block protection key by its name, 16 bytes. Raises KeyMissing."""
        try:
            return self._kbpks[name]
        except KeyError:
            raise KeyMissing(f"no key block protection key {name!r} here") from None

    def close(self) -> None:
        """See KeyStore."""
        super().close()
        self._bdks.clear()
        self._kbpks.clear()
        self._token = b""

    def _initial_key(self, ikid: bytes) -> bytes:
        bdk = self._bdks.get(ikid[:4])
        if bdk is None:
            raise missing(ikid)
        return dukpt.initial_key(bdk, ikid)

    def _token_mac(self, data: bytes) -> bytes:
        if not self._token:
            raise KeyMissing("no token key here")
        return hmac.digest(self._token, data, "sha256")


def read(path: Path, passphrase: str) -> Secrets:
    """Open a file of keys. Raises SetupError; see sealed_file.read."""
    content = sealed_file.read(path, passphrase)
    try:
        row = json.loads(content)
        return Secrets(
            {bytes.fromhex(name): bytes.fromhex(key) for name, key in row["bdks"].items()},
            {name: bytes.fromhex(key) for name, key in row["kbpks"].items()},
            bytes.fromhex(row["token"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise SetupError(f"{path} is no file of keys") from None


def write(path: Path, held: Secrets, passphrase: str) -> None:
    """Seal keys into a file. Raises OSError."""
    row = {
        "bdks": {name.hex(): key.hex() for name, key in held.bdks.items()},
        "kbpks": {name: key.hex() for name, key in held.kbpks.items()},
        "token": held.token.hex(),
    }
    sealed_file.write(path, json.dumps(row).encode(), passphrase)
