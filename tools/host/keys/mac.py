# SPDX-License-Identifier: MIT
"""AES-CMAC (RFC 4493) on `cryptography`."""

from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC


def cmac(key: bytes, message: bytes | memoryview) -> bytes:
    """The full 16-byte CMAC."""
    mac = CMAC(algorithms.AES(key))
    mac.update(bytes(message))
    return mac.finalize()


def tag(key: bytes, message: bytes | memoryview) -> bytes:
    """The CMAC cut to 8 bytes, as used for DE 64, seal tag and journal tag."""
    return cmac(key, message)[:8]
