# SPDX-License-Identifier: MIT
"""The host's secrets, stored in its home: the base derivation key and the key for card number tokens."""

import hmac
import json
import os
import secrets
from pathlib import Path

from tools.host.errors import SetupError

TEST_BDK = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")  # from the standard; for tests and the demo only


class HostKeys:
    """`keys.json` ({"bdk": hex}; the test key if absent) and `token.key` (created on first use)."""

    def __init__(self, home: Path) -> None:
        self.bdk = _bdk(home / "keys.json")
        self._token_key = _token_key(home / "token.key")

    def token(self, pan: str) -> str:
        """The token of a card number: always the same for one card, and only this host can compute it."""
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
