# SPDX-License-Identifier: MIT
"""The encrypted file: X25519 with a fresh key, HKDF-SHA-256, AES-256-GCM. Layout: docs/support.md.

Sources: RFC 7748 (X25519), RFC 5869 (HKDF), NIST SP 800-38D (GCM).
"""

import base64
import json
import os
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tools.support.console import Found

MAGIC = b"KSB\x01"
_KEY, _NONCE = 32, 12
_HEAD = len(MAGIC) + _KEY + _NONCE
_PURPOSE = b"kassa support bundle 1"
_LARGEST = 32 << 20  # bytes of the content, unpacked


class BundleError(Exception):
    """Not a bundle, damaged, or encrypted to another key."""


def seal(found: Found, to: X25519PublicKey) -> bytes:
    """The bundle of what a terminal sent, which only the owner of the private key can open."""
    journal = base64.b64encode(found.journal).decode()
    content = {"info": found.info, "unreadable": found.unreadable, "journal": journal}
    own = X25519PrivateKey.generate()
    head = MAGIC + own.public_key().public_bytes_raw() + os.urandom(_NONCE)
    key = _derive(own.exchange(to), head, to)
    return head + AESGCM(key).encrypt(head[-_NONCE:], zlib.compress(json.dumps(content).encode()), head)


def unseal(data: bytes, private: X25519PrivateKey) -> Found:
    """What the terminal sent. Raises BundleError."""
    head, sealed = data[:_HEAD], data[_HEAD:]
    if len(head) < _HEAD or not head.startswith(MAGIC):
        raise BundleError("not a support bundle")
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(head[len(MAGIC) : len(MAGIC) + _KEY]))
        key = _derive(shared, head, private.public_key())
        packed = AESGCM(key).decrypt(head[-_NONCE:], sealed, head)
        content = json.loads(zlib.decompressobj().decompress(packed, _LARGEST))
        unreadable = [(int(sector), int(offset)) for sector, offset in content["unreadable"]]
        info = {str(name): str(value) for name, value in content["info"].items()}
        return Found(info, base64.b64decode(content["journal"], validate=True), unreadable)
    except InvalidTag:
        raise BundleError("damaged, or encrypted to another key") from None
    except (ValueError, KeyError, TypeError, AttributeError, zlib.error) as error:
        raise BundleError(f"malformed: {error}") from None


def _derive(shared: bytes, head: bytes, to: X25519PublicKey) -> bytes:
    """The AES key. Both public keys go in, so that it belongs to this pair alone."""
    salt = head[len(MAGIC) : len(MAGIC) + _KEY] + to.public_bytes_raw()
    return HKDF(SHA256(), 32, salt, _PURPOSE).derive(shared)
