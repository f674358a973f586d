# SPDX-License-Identifier: MIT
"""The host's secrets, kept in its home: the base derivation key and the key that turns card numbers into tokens."""

import hmac
import json
import os
import secrets
from pathlib import Path

from tools.host.errors import SetupError

TEST_BDK = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")  # the standard's own: for tests and the demo alone


class HostKeys:
    """`keys.json` ({"bdk": hex}; the test key when absent) and `token.key` (made at first use)."""

    def __init__(self, home: Path) -> None:
        self.bdk = _bdk(home / "keys.json")
        self._token_key = _token_key(home / "token.key")

    def token(self, pan: str) -> str:
        """A card number's token: the same card gives the same one, and only this host can tell which card it is."""
        return hmac.digest(self._token_key, pan.encode(), "sha256").hex()[:32]


def _bdk(path: Path) -> bytes:
    if not path.exists():
        return TEST_BDK
    try:
        bdk = bytes.fromhex(json.loads(path.read_text())["bdk"])
    except (ValueError, KeyError, TypeError):
        raise SetupError(f'{path.name} must hold {{"bdk": hex}}') from None
    if len(bdk) != 16:
        raise SetupError(f"the BDK in {path.name} must have 16 bytes")
    return bdk


def _token_key(path: Path) -> bytes:
    if not path.exists():
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(secrets.token_bytes(32))
    return path.read_bytes()
