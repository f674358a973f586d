# SPDX-License-Identifier: MIT
"""An encrypted file of any size: AES-256-GCM in chunks, under a passphrase (scrypt) or to a public key (X25519).

Head: "KHB" 1, kind (1 passphrase, 2 public key), log2 of scrypt's N, 32 bytes (salt, or the sender's public key). Then
chunks: length (4 bytes) and ciphertext with tag. A nonce is the chunk's number (11 bytes) and 1 for the last one, so
that chunks cannot be moved, lost or added. The head is authenticated with each chunk.

Sources: NIST SP 800-38D (GCM), RFC 7914 (scrypt), RFC 7748 (X25519), RFC 5869 (HKDF); the STREAM construction
(Hoang, Reyhanitabar, Rogaway, Vizar 2015).
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from tools.host.errors import BackupError

MAGIC = b"KHB\x01"
CHUNK = 1 << 20
_HEAD, _TAG = len(MAGIC) + 2 + 32, 16
_PASSPHRASE, _RECIPIENT = 1, 2
_COST, _MOST_COST = 17, 20  # log2 of N: 128 MiB of memory
_LEAST = 12  # characters of a passphrase
_PURPOSE = b"kassa host backup 1"

Key = bytes | X25519PublicKey | X25519PrivateKey


def passphrase(path: Path) -> bytes:
    """The first line of a file. Raises BackupError if it is too short to keep anything secret."""
    try:
        words = path.read_bytes().split(b"\n")[0].strip()
    except OSError as error:
        raise BackupError(f"{path}: {error.strerror}") from None
    if len(words) < _LEAST:
        raise BackupError(f"{path}: a passphrase has at least {_LEAST} characters")
    return words


def public_key(path: Path) -> X25519PublicKey:
    """A recipient's public key (PEM). Raises BackupError."""
    try:
        key = serialization.load_pem_public_key(path.read_bytes())
    except (OSError, ValueError, UnsupportedAlgorithm) as error:
        raise BackupError(f"{path} is not a public key: {error}") from None
    if not isinstance(key, X25519PublicKey):
        raise BackupError(f"{path} is not an X25519 key: openssl genpkey -algorithm X25519")
    return key


def private_key(path: Path) -> X25519PrivateKey:
    """The private key that belongs to it (PEM). Raises BackupError."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise BackupError(f"{path} is not a private key: {error}") from None
    if not isinstance(key, X25519PrivateKey):
        raise BackupError(f"{path} is not an X25519 key")
    return key


class Sealed:
    """Writes the encrypted file. `key`: a passphrase or a public key. Call `end` when all is written."""

    def __init__(self, file: BinaryIO, key: bytes | X25519PublicKey) -> None:
        self._file, self._number = file, 0
        self._rest = bytearray()
        if isinstance(key, bytes):
            self._head = MAGIC + bytes((_PASSPHRASE, _COST)) + os.urandom(32)
            secret = _stretch(key, self._head)
        else:
            own = X25519PrivateKey.generate()
            self._head = MAGIC + bytes((_RECIPIENT, 0)) + own.public_key().public_bytes_raw()
            secret = own.exchange(key) + key.public_bytes_raw()
        self._cipher = _cipher(secret, self._head)
        file.write(self._head)

    def write(self, data: bytes) -> None:
        self._rest += data
        while len(self._rest) > CHUNK:
            self._chunk(bytes(self._rest[:CHUNK]), False)
            del self._rest[:CHUNK]

    def end(self) -> None:
        """Write the last chunk."""
        self._chunk(bytes(self._rest), True)
        self._rest.clear()

    def _chunk(self, data: bytes, last: bool) -> None:
        sealed = self._cipher.encrypt(_nonce(self._number, last), data, self._head)
        self._file.write(len(sealed).to_bytes(4) + sealed)
        self._number += 1


def unseal(file: BinaryIO, key: bytes | X25519PrivateKey) -> Iterator[bytes]:
    """The content, chunk by chunk, each authenticated. Raises BackupError if the file is not whole, or not for this key."""
    head = file.read(_HEAD)
    if len(head) < _HEAD or not head.startswith(MAGIC):
        raise BackupError("not a backup of a host")
    cipher = _cipher(_secret(head, key), head)
    number, last = 0, False
    while not last:
        size = int.from_bytes(file.read(4))
        data = file.read(size) if _TAG <= size <= CHUNK + _TAG else b""
        if len(data) != size or size < _TAG:
            raise BackupError("the backup is cut short or damaged")
        ahead = file.read(1)
        last = not ahead
        file.seek(-len(ahead), os.SEEK_CUR)
        try:
            yield cipher.decrypt(_nonce(number, last), data, head)
        except InvalidTag:
            raise BackupError("the backup is cut short, damaged, or made for another key") from None
        number += 1


def _secret(head: bytes, key: bytes | X25519PrivateKey) -> bytes:
    kind = head[len(MAGIC)]
    if isinstance(key, bytes) and kind == _PASSPHRASE:
        return _stretch(key, head)
    if isinstance(key, X25519PrivateKey) and kind == _RECIPIENT:
        try:
            shared = key.exchange(X25519PublicKey.from_public_bytes(head[-32:]))
        except ValueError:
            raise BackupError("the backup is damaged") from None
        return shared + key.public_key().public_bytes_raw()
    raise BackupError(f"the backup was made with a {'passphrase' if kind == _PASSPHRASE else 'public key'}")


def _stretch(words: bytes, head: bytes) -> bytes:
    cost = head[len(MAGIC) + 1]
    if not _COST <= cost <= _MOST_COST:
        raise BackupError("the backup is damaged")
    return Scrypt(salt=head[-32:], length=32, n=1 << cost, r=8, p=1).derive(words)


def _cipher(secret: bytes, head: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, head, _PURPOSE).derive(secret))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11) + bytes((last,))
