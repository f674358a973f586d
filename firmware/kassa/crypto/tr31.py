# SPDX-License-Identifier: MIT
"""TR-31 / X9.143 key blocks, version D (AES): unwraps an AES DUKPT initial key."""

from struct import pack_into

from cryptolib import aes

from kassa.crypto.cmac import cmac, equal
from kassa.crypto.wipe import wipe_cipher, zero
from kassa.errors import CryptoError

_HEX = b"0123456789ABCDEF"
_BAD = "initial key block refused"


def _derived(kbpk: bytearray, usage: int) -> bytearray:
    """Derive the encryption key (usage 0) or MAC key (usage 1) from a 16-byte KBPK (TR-31:2018, section 5.3.2.3)."""
    data = bytearray(8)
    pack_into(">BHBHH", data, 0, 1, usage, 0, 2, 128)
    return cmac(kbpk, data)


def unwrap_initial_key(kbpk: bytearray, block: bytes | bytearray) -> tuple[bytearray, bytes]:
    """Unwrap a `B1` AES key block. Returns (initial key 16 B, initial key id 8 B). The caller zeroes the key.

    `kbpk`: 16 B, the device's own KBPK or the update key of its DUKPT keys. Raises CryptoError if the block is of
    another kind or its MAC is wrong.
    """
    block = bytes(block)
    if len(block) < 112 or block[:1] != b"D" or block[5:9] != b"B1AX" or len(block) % 2:
        raise CryptoError(_BAD)
    try:
        length = int(block[1:5])
        initial_id, header = _optional_blocks(block)
        for byte in block[header:]:
            if byte not in _HEX:  # the MAC covers the decoded bytes, not their spelling
                raise ValueError("not hexadecimal")
        body = bytes.fromhex(block[header:-32].decode())
        tag = bytes.fromhex(block[-32:].decode())
    except (ValueError, UnicodeError):
        raise CryptoError(_BAD)
    if length != len(block) or len(body) < 32 or len(body) % 16 or len(initial_id) != 8:
        raise CryptoError(_BAD)
    encryption = _derived(kbpk, 0)
    authentication = _derived(kbpk, 1)
    cipher = aes(encryption, 2, tag)
    message = bytearray(block[:header] + body)
    payload = memoryview(message)[header:]
    try:
        cipher.decrypt(payload, payload)
        if not equal(cmac(authentication, message), tag) or payload[:2] != b"\x00\x80":
            raise CryptoError(_BAD)
        return bytearray(payload[2:18]), initial_id
    finally:
        wipe_cipher(cipher)
        zero(encryption)
        zero(authentication)
        zero(message)


def _optional_blocks(block: bytes) -> tuple[bytes, int]:
    """Return the initial key id (from the `IK` block) and the length of the header. Raises ValueError if malformed."""
    at = 16
    initial_id = b""
    for _ in range(int(block[12:14])):
        size = int(block[at + 2 : at + 4], 16)
        if size < 4 or at + size > len(block):
            raise ValueError("optional block")
        if block[at : at + 2] == b"IK":
            initial_id = bytes.fromhex(block[at + 4 : at + size].decode())
        at += size
    return initial_id, at
