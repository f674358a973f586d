# SPDX-License-Identifier: MIT
"""What the host needs of its secret keys, whoever keeps them: a file (file_store.py) or a PKCS#11 token (pkcs11_store.py).

Base derivation keys (BDKs) are told apart by the BDK id, the first 4 bytes of an initial key id.
"""

from abc import ABC, abstractmethod
from typing import Protocol

from psec import tr31

from tools.host.errors import KeyMissing
from tools.host.keys import dukpt, mac

_UPDATE_COUNTER = b"\xff" * 4  # of the KSN whose key encrypts the next initial key; no transaction uses it
_UPDATE = 0x0002


class KeyStore(Protocol):
    """The host's secret keys. Every call may come from any thread, and raises KeyMissing if the BDK is not here."""

    @property
    def is_test(self) -> bool:
        """Whether these are the published test keys: anybody can read and make payments."""
        ...

    @property
    def bdk_ids(self) -> tuple[bytes, ...]:
        """The ids of the base derivation keys, 4 bytes each."""
        ...

    def working_key(self, ksn: bytes, usage: int) -> bytes:
        """The 16-byte working key of a KSN (12 bytes) for one usage (dukpt.py)."""
        ...

    def token(self, pan: str) -> str:
        """The token of a card number, 32 hex digits: always the same for one card; only these keys can compute it."""
        ...

    def key_block(self, ikid: bytes, under: bytes) -> bytes:
        """The initial key of a terminal as a TR-31 block for provisioning. `ikid`: 8 bytes. `under`: the KBPK, 16 bytes."""
        ...

    def renewal_block(self, ikid: bytes, new: bytes) -> bytes:
        """The next initial key of a terminal (id `new`), under the update key of the one it has now (id `ikid`)."""
        ...

    def check_value(self, ikid: bytes) -> str:
        """Six hex digits that identify an initial key: AES-CMAC over a block of zeros (ANSI X9.24-1:2017, Annex A)."""
        ...

    def close(self) -> None:
        """Forget the keys."""
        ...


class Derivation(ABC):
    """What every key store does with an initial key, once it has derived it. Derived keys are cached in memory only."""

    is_test = False

    @property
    @abstractmethod
    def bdk_ids(self) -> tuple[bytes, ...]:
        """See KeyStore."""

    @abstractmethod
    def _initial_key(self, ikid: bytes) -> bytes:
        """The 16-byte initial key of a terminal. Raises KeyMissing."""

    @abstractmethod
    def _token_mac(self, data: bytes) -> bytes:
        """HMAC-SHA-256 under the token key (FIPS 198-1), 32 bytes."""

    def working_key(self, ksn: bytes, usage: int) -> bytes:
        """See KeyStore."""
        return dukpt.working_key_below(self._initial_key(ksn[:8]), ksn, usage)

    def token(self, pan: str) -> str:
        """See KeyStore."""
        return self._token_mac(pan.encode()).hex()[:32]

    def key_block(self, ikid: bytes, under: bytes) -> bytes:
        """See KeyStore."""
        return initial_key_block(under, ikid, self._initial_key(ikid))

    def renewal_block(self, ikid: bytes, new: bytes) -> bytes:
        """See KeyStore."""
        return self.key_block(new, self.working_key(ikid + _UPDATE_COUNTER, _UPDATE))

    def check_value(self, ikid: bytes) -> str:
        """See KeyStore."""
        return check_value(self._initial_key(ikid))

    def close(self) -> None:
        """See KeyStore."""
        dukpt.forget()


def initial_key_block(kbpk: bytes, ikid: bytes, initial_key: bytes) -> bytes:
    """An initial key as an ASCII TR-31 key block, version D (ASC X9 TR 31-2018), with the IK optional block."""
    header = tr31.Header(version_id="D", key_usage="B1", algorithm="A", mode_of_use="X", exportability="N")
    header.blocks["IK"] = ikid.hex().upper()
    return tr31.wrap(kbpk, header, initial_key).encode("ascii")


def check_value(key: bytes) -> str:
    """The key check value of an AES key: six hex digits (ANSI X9.24-1:2017, Annex A)."""
    return mac.cmac(key, bytes(16))[:3].hex().upper()


def missing(ikid: bytes) -> KeyMissing:
    """The error for a BDK that is not here."""
    return KeyMissing(f"no base derivation key {ikid[:4].hex().upper()} here")
