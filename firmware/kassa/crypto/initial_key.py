# SPDX-License-Identifier: MIT
"""What comes of an AES DUKPT initial key on the device (ANSI X9.24-3:2017): needed when keys are loaded, and then no more."""

from struct import pack_into

from cryptolib import aes
from micropython import const

from kassa.crypto.wipe import wipe_cipher

STORE = const(528)  # bytes: 32 registers and the update key
UPDATE = const(512)  # where the update key lies in them
_WRAP = const(0x0002)  # key encryption key: the usage of the update key
_DERIVE = const(0x8000)
_TOP = const(31)


def load(initial: bytes | bytearray, device: bytes | bytearray, store: bytearray) -> None:
    """Fill the registers and the update key (528 B) from the initial key; `device` as for Registers.

    Register i is the key of counter 1 << i. The update key is working key 0002 of counter FFFFFFFF, which no transaction
    uses (X9.24-3, 6.4): whoever gives a device its next initial key wraps it in this one.
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
