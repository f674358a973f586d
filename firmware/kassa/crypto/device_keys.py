# SPDX-License-Identifier: MIT
"""The five device keys derived from the device secret (docs/keys.md), and the known-answer tests run at boot."""

from cryptolib import aes
from micropython import const

from kassa.crypto.cmac import cmac
from kassa.crypto.wipe import key_memory, wipe_cipher
from kassa.errors import CryptoError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Entropy

JOURNAL = b"journal"
KEYRING = b"keyring"
SETTINGS = b"settings"
KBPK = b"kbpk"
CARDS = b"cards"


def device_key(secret: bytearray, purpose: bytes) -> bytearray:
    """Derive the 16-byte key for one purpose from `secret` (32 B). The caller zeroes the key."""
    return cmac(secret, purpose)


def self_test(entropy: "Entropy") -> None:
    """Test AES and CMAC (RFC 4493, section 4), key wiping, and that the entropy source is not stuck.

    Raises CryptoError if a test fails.
    """
    key = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
    message = bytes.fromhex("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411")
    if cmac(key, b"") != bytes.fromhex("bb1d6929e95937287fa37d129b756746"):
        raise CryptoError("AES self-test")
    if cmac(key, message) != bytes.fromhex("dfa66747de9ae63030ca32611497c827"):
        raise CryptoError("CMAC self-test")
    for size in (16, 32):
        for use in range(6):
            if not _wipes(bytes(range(0x50, 0x50 + size)), 1 + use // 3, use % 3):
                raise CryptoError("key wiping self-test")
    first, second = entropy(32), entropy(32)
    if first == second or len(set(first)) < 8 or len(set(second)) < 8:
        raise CryptoError("entropy self-test")


def _wipes(key: bytes, mode: int, use: int) -> bool:
    """Return whether a cipher object's memory shows its key, and nothing of it after wiping.

    `use`: what is done with the cipher first; 0 nothing, 1 encrypt, 2 decrypt.
    """
    cipher, block = aes(key, mode, bytes(16)), bytearray(16)
    if use:
        (cipher.encrypt if use == 1 else cipher.decrypt)(block, block)
    if not _shows(cipher, key):
        return False
    wipe_cipher(cipher)
    return not _shows(cipher, key)


def _shows(cipher: aes, key: bytes) -> bool:
    """Return whether any aligned four bytes of the key are visible in the object's memory."""
    memory = bytes(key_memory(cipher))
    for at in range(0, len(key), 4):
        if memory.find(key[at : at + 4]) >= 0:
            return True
    return False
