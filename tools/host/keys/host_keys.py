# SPDX-License-Identifier: MIT
"""Finds the host's keys: those of HOME/keys.sealed, or of the PKCS#11 token that HOME/kassa-host.toml names.

    [keys]
    pkcs11 = "/usr/lib/softhsm/libsofthsm2.so"  # the vendor's library; without it the keys are in keys.sealed
    token = "kassa"                             # the token's label
    test = true                                 # the published test keys; written by tools.sim only

A host without keys does not start. The test keys are used only where they are asked for.
"""

import hmac
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.host import settings_file
from tools.host.errors import SetupError
from tools.host.keys import dukpt, file_store, passphrase
from tools.host.keys.file_store import FileStore
from tools.host.keys.key_store import Derivation, KeyStore

TEST_BDK = bytes.fromhex("FEDCBA9876543210F1F1F1F1F1F1F1F1")  # from the standard; for tests and the demo only
_TEST_TOKEN = bytes(range(32))
OLD = ("keys.json", "token.key")  # files of earlier versions, with keys in clear


class TestKeys(Derivation):
    """The published test keys: TEST_BDK whatever the BDK id, and a published token key. Not secret at all."""

    __test__ = False  # no test case
    is_test = True

    @property
    def bdk_ids(self) -> tuple[bytes, ...]:
        """See KeyStore."""
        return (bytes.fromhex("12345678"),)

    def _initial_key(self, ikid: bytes) -> bytes:
        return dukpt.initial_key(TEST_BDK, ikid)

    def _token_mac(self, data: bytes) -> bytes:
        return hmac.digest(_TEST_TOKEN, data, "sha256")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a host's keys are. `module`: the library of a PKCS#11 token; empty: in a file. `test`: the test keys."""

    home: Path
    module: str = ""
    token: str = ""
    test: bool = False

    @property
    def file(self) -> Path:
        return self.home / file_store.NAME


def place(home: Path) -> Place:
    """Where the keys of a host are, by its settings. Raises SetupError."""
    keys = settings_file.load(home).keys
    return Place(home, keys.pkcs11, keys.token, keys.test)


def find(home: Path, test_keys: bool = False, ask: passphrase.Passphrase = passphrase.find) -> KeyStore:
    """The keys of a host. `test_keys`: use the published ones. `ask`: gives the passphrase, or the PIN of the token.

    Raises SetupError: there are none, they cannot be opened, or there are some and the test keys were asked for.
    """
    where = place(home)
    real = where.module or where.file.exists()
    if test_keys or where.test:
        if real:
            raise SetupError(f"{home} has keys of its own: it cannot run with the test keys")
        return TestKeys()
    if where.module:
        return token(where, ask())
    old = [name for name in OLD if (home / name).exists()]
    if old and not where.file.exists():
        raise SetupError(
            f"{home / old[0]} holds keys in clear, which is no longer done: kassa-host keys init seals them"
        )
    if not where.file.exists():
        raise SetupError(f"{home} has no keys: kassa-host keys init makes them; --test-keys is for trying things out")
    return FileStore(file_store.read(where.file, ask()))


def token(where: Place, pin: str) -> Any:
    """The key store of a PKCS#11 token (pkcs11_store.Pkcs11Store). Raises SetupError."""
    try:
        from tools.host.keys.pkcs11_store import Pkcs11Store
    except ImportError:
        raise SetupError("the package python-pkcs11 is not installed") from None
    return Pkcs11Store(where.module, where.token, pin)
