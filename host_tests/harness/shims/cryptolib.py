# SPDX-License-Identifier: MIT
"""MicroPython's `cryptolib` for CPython, over `cryptography`: same calls, same refusals.

`aes(key, mode[, iv])`, mode 1 (ECB) or 2 (CBC). An object works in one direction only; CBC chains from call to call.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_ECB, _CBC = 1, 2


class aes:  # noqa: N801  the name MicroPython gives it
    """AES with a key of 16 or 32 bytes."""

    def __init__(self, key, mode, iv=None):
        if len(key) not in (16, 32):
            raise ValueError("key")
        if mode not in (_ECB, _CBC):
            raise ValueError("mode")
        if mode == _CBC and (iv is None or len(iv) != 16):
            raise ValueError("IV")
        chosen = modes.CBC(bytes(iv)) if mode == _CBC else modes.ECB()
        self._cipher = Cipher(algorithms.AES(bytes(key)), chosen)
        self._encrypting = None
        self._context = None

    def encrypt(self, data, into=None):
        """Encrypt whole blocks; into a buffer (may be `data` itself), or to new bytes."""
        return self._run(True, data, into)

    def decrypt(self, data, into=None):
        """Decrypt whole blocks; into a buffer (may be `data` itself), or to new bytes."""
        return self._run(False, data, into)

    def _run(self, encrypting, data, into):
        if self._encrypting is None:
            self._encrypting = encrypting
            self._context = self._cipher.encryptor() if encrypting else self._cipher.decryptor()
        if self._encrypting is not encrypting:
            raise ValueError("can't encrypt & decrypt")
        if len(data) % 16:
            raise ValueError("blksize % 16")
        if into is not None and len(into) < len(data):
            raise ValueError("output too small")
        result = self._context.update(bytes(data))
        if into is None:
            return result
        memoryview(into)[: len(result)] = result
        return into
