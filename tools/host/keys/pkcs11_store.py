# SPDX-License-Identifier: MIT
"""The host's keys in a PKCS#11 token (OASIS PKCS #11 v3.0), such as an HSM or SoftHSM.

The BDKs are AES keys and the token key is a generic secret. None of them can leave the token. The token makes a
terminal's initial key by one AES-ECB of its BDK (X9.24-3, 6.3.1); what follows from that is computed and cached here.
"""

import threading
from functools import lru_cache
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass
from pkcs11.mechanisms import Mechanism

from tools.host.errors import KeyMissing, SetupError
from tools.host.keys import dukpt
from tools.host.keys.key_store import Derivation, missing

_TOKEN_LABEL = "kassa-token"
_BDK_LABEL = "kassa-bdk"
_KEPT = {Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False, Attribute.PRIVATE: True}


class Pkcs11Store(Derivation):
    """A key store (key_store.py) whose keys are in a token. `module`: the vendor's library. `label`: of the token."""

    def __init__(self, module: str, label: str, pin: str) -> None:
        """Log in. Raises SetupError if the token cannot be used."""
        self._lock = threading.Lock()  # a session of PKCS#11 serves one thread at a time
        try:
            self._session: Any = pkcs11.lib(module).get_token(token_label=label).open(rw=True, user_pin=pin)
        except (pkcs11.PKCS11Error, RuntimeError, OSError) as error:
            raise SetupError(f"PKCS#11 token {label!r} of {module}: {type(error).__name__} {error}".strip()) from None
        self._bdks: dict[bytes, Any] = {}
        with self._lock:
            for key in self._session.get_objects(
                {Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: _BDK_LABEL}
            ):
                self._bdks[bytes(key.id)] = key
            tokens = list(
                self._session.get_objects({Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.LABEL: _TOKEN_LABEL})
            )
        self._token_key: Any = tokens[0] if tokens else None
        self._initial = lru_cache(maxsize=4096)(self._derive)

    @property
    def bdk_ids(self) -> tuple[bytes, ...]:
        """See KeyStore."""
        return tuple(sorted(self._bdks))

    @property
    def has_token_key(self) -> bool:
        return self._token_key is not None

    def make_token_key(self) -> None:
        """Have the token make the key for card number tokens. Raises SetupError if there is one."""
        if self.has_token_key:
            raise SetupError("the token has a token key already")
        with self._lock:
            self._token_key = self._session.generate_key(
                KeyType.GENERIC_SECRET, 256, label=_TOKEN_LABEL, store=True,
                mechanism=Mechanism.GENERIC_SECRET_KEY_GEN, capabilities=MechanismFlag.SIGN, template=_KEPT,
            )  # fmt: skip

    def put_token_key(self, key: bytes) -> None:
        """Move a token key (32 bytes) into the token. Raises SetupError if there is one."""
        if self.has_token_key:
            raise SetupError("the token has a token key already")
        self._token_key = self._put(KeyType.GENERIC_SECRET, _TOKEN_LABEL, b"\x01", key, Attribute.SIGN)

    def put_bdk(self, bdk_id: bytes, bdk: bytes) -> None:
        """Move a base derivation key (16 bytes) into the token. Raises SetupError if one has this id."""
        if bdk_id in self._bdks:
            raise SetupError(f"there is a base derivation key {bdk_id.hex()} already")
        self._bdks[bdk_id] = self._put(KeyType.AES, _BDK_LABEL, bdk_id, bdk, Attribute.ENCRYPT)

    def make_bdk(self, bdk_id: bytes) -> None:
        """Have the token make a base derivation key, which nobody ever sees. Raises SetupError if one has this id."""
        if bdk_id in self._bdks:
            raise SetupError(f"there is a base derivation key {bdk_id.hex()} already")
        with self._lock:
            self._bdks[bdk_id] = self._session.generate_key(
                KeyType.AES, 128, label=_BDK_LABEL, id=bdk_id, store=True, capabilities=MechanismFlag.ENCRYPT,
                template=_KEPT,
            )  # fmt: skip

    def close(self) -> None:
        """Log out."""
        super().close()
        with self._lock:
            self._session.close()
        self._initial.cache_clear()

    def _put(self, kind: KeyType, label: str, name: bytes, value: bytes, may: Attribute) -> Any:
        with self._lock:
            return self._session.create_object({
                Attribute.CLASS: ObjectClass.SECRET_KEY, Attribute.KEY_TYPE: kind, Attribute.LABEL: label,
                Attribute.ID: name, Attribute.TOKEN: True, Attribute.VALUE: value, may: True, **_KEPT,
            })  # fmt: skip

    def _initial_key(self, ikid: bytes) -> bytes:
        return self._initial(ikid)

    def _derive(self, ikid: bytes) -> bytes:
        bdk = self._bdks.get(ikid[:4])
        if bdk is None:
            raise missing(ikid)
        with self._lock:
            return bytes(bdk.encrypt(dukpt.initial_key_data(ikid), mechanism=Mechanism.AES_ECB))

    def _token_mac(self, data: bytes) -> bytes:
        if self._token_key is None:
            raise KeyMissing("the token has no token key")
        with self._lock:
            return bytes(self._token_key.sign(data, mechanism=Mechanism.SHA256_HMAC))
