# SPDX-License-Identifier: MIT
"""Derives the registers and the update key from an AES DUKPT initial key (ANSI X9.24-3:2017).

Needed only to load keys.
"""

from struct import pack_into

from cryptolib import aes
from micropython import const

from kassa.crypto.wipe import wipe_cipher

STORE = const(528)  # bytes: 32 registers and the update key
UPDATE = const(512)  # offset of the update key
_WRAP = const(0x0002)  # key usage of the update key: key encryption key
_DERIVE = const(0x8000)
_TOP = const(31)


def load(initial: bytes | bytearray, device: bytes | bytearray, store: bytearray) -> None:
    """Fill `store` (528 B) with the registers and the update key, derived from the initial key (16 B).

    `device`: the 4-byte device id. Register i holds the key of counter 1 << i. The update key is the working key with
    usage 0002 of counter FFFFFFFF, which no transaction uses (X9.24-3, 6.4). It wraps the device's next initial key.
    """
    data = bytearray(b"\x01\x01\x00\x00\x00\x02\x00\x80\x00\x00\x00\x00\x00\x00\x00\x00")  # as in Registers
    data[8:12] = device
    pack_into(">H", data, 2, _DERIVE)
    view = memoryview(store)
    for index in range(_TOP + 1):
        pack_into(">I", data, 12, 1 << index)
        _encrypt(initial, data, view[16 * index : 16 * index + 16])
    update = view[UPDATE:STORE]
    update[:] = view[16 * _TOP : 16 * _TOP + 16]
    counter = 1 << _TOP
    for index in range(_TOP - 1, -1, -1):
        counter |= 1 << index
        pack_into(">I", data, 12, counter)
        _encrypt(update, data, update)
    pack_into(">H", data, 2, _WRAP)
    _encrypt(update, data, update)


def _encrypt(key: bytes | bytearray | memoryview, block: bytearray, into: memoryview) -> None:
    cipher = aes(key, 1)
    try:
        cipher.encrypt(block, into)
    finally:
        wipe_cipher(cipher)
