# SPDX-License-Identifier: MIT
"""Searches a dump of the flash chip, with the device secret known, for any key of an earlier payment.

A key opens a payment only if it is, byte for byte, the KBPK, the initial key, a register above the payment's key, its
transaction key or one of its working keys. These follow from the BDK, so each window is simply looked up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

import psec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tools.device_key import device_key
from tools.host.keys import dukpt

BLOCK = 2048
_USAGES = (0x1000, 0x2000, 0x2001, 0x2002, 0x3000, 0x3001)
_CHUNK = 256
_BLANK = b"\xff" * _CHUNK


def secrets_of(bdk: bytes, ikid: bytes, counters: Iterable[int]) -> dict[bytes, str]:
    """Every key that opens one of these payments or messages -> its description."""
    found = {dukpt.initial_key(bdk, ikid): "initial key"}
    for counter in counters:
        found.update(_above(bdk, ikid, counter))
    return found


@lru_cache(maxsize=4096)
def _above(bdk: bytes, ikid: bytes, counter: int) -> dict[bytes, str]:
    """The working keys of one counter, its transaction key and the registers it derives from."""
    ksn = ikid + counter.to_bytes(4, "big")
    found = {dukpt.working_key(bdk, ksn, usage): f"working key {usage:04x} of {counter}" for usage in _USAGES}
    position = counter
    while position:
        found[dukpt.transaction_key(bdk, ikid, position)] = f"register {position:x} above {counter}"
        position &= position - 1
    return found


def windows(image: bytes, secret: bytes, thorough: bool = True) -> Iterator[bytes]:
    """Every 16-byte window at every offset: raw, and decrypted with the device's own keys, each CBC block on its own.

    `thorough`: all sixteen alignments, under each device key and the secret itself; else the keyring key alone, aligned.
    """
    for at, part in islands(image):
        if thorough:
            for offset in range(len(part) - 15):
                yield part[offset : offset + 16]
        keys = [device_key(secret, purpose) for purpose in (b"keyring", b"journal", b"settings", b"kbpk")]
        for key in [*keys, secret] if thorough else keys[:1]:
            for shift in range(16) if thorough else (0,):
                cipher = part[shift : shift + (len(part) - shift) // 16 * 16]
                clear = Cipher(
                    algorithms.AES(key), modes.CBC(image[max(0, at + shift - 16) : at + shift].rjust(16, b"\0"))
                )
                opened = clear.decryptor().update(cipher)
                for offset in range(0, len(opened) - 15, 1 if thorough else 16):
                    yield opened[offset : offset + 16]


def islands(image: bytes) -> Iterator[tuple[int, bytes]]:
    """(offset, bytes) of each non-blank stretch of the image, in units of 256 bytes."""
    start = -1
    for at in range(0, len(image) + 1, _CHUNK):
        blank = at >= len(image) or image[at : at + _CHUNK] == _BLANK
        if blank and start >= 0:
            yield start, image[start:at]
            start = -1
        elif not blank and start < 0:
            start = at


def search(
    image: bytes, secret: bytes, bdk: bytes, ikid: bytes, counters: Iterable[int], thorough: bool = True
) -> list[str]:
    """The keys that the dump reveals for payments with these counters; empty if none."""
    wanted = secrets_of(bdk, ikid, counters)
    found = {wanted[window] for window in windows(image, secret, thorough) if window in wanted}
    kbpk = device_key(secret, b"kbpk")
    if kbpk in image:
        found.add("KBPK")
    at = image.find(b"D0")
    while at >= 0:
        if key_block(image, at, kbpk):
            found.add("key block")
        at = image.find(b"D0", at + 1)
    return sorted(found)


def key_block(image: bytes, at: int, kbpk: bytes) -> bool:
    """Whether a TR-31 key block that the device can open starts at offset `at`."""
    try:
        size = int(image[at + 1 : at + 5])
        psec.tr31.unwrap(kbpk, image[at : at + size].decode("ascii"))
    except (ValueError, psec.tr31.KeyBlockError, psec.tr31.HeaderError):
        return False
    return True
