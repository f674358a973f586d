# SPDX-License-Identifier: MIT
"""The device secret of a board with an ESP32, in NVS. The firmware only reads it: provisioning makes it, once."""

from esp32 import NVS


def read() -> bytearray:
    """The 32 bytes, encrypted in a product (docs/keys.md). Raises OSError if they are missing."""
    secret = bytearray(32)
    if NVS("kassa").get_blob("secret", secret) != 32:
        raise OSError(2)
    return secret
