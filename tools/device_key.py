# SPDX-License-Identifier: MIT
"""The keys that a device derives from its own secret."""

from tools.host.keys.mac import cmac


def device_key(secret: bytes, purpose: bytes) -> bytes:
    """The device's key for a purpose such as b"journal" (docs/keys.md)."""
    return cmac(secret, purpose)
