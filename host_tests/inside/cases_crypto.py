# SPDX-License-Identifier: MIT
"""Cases of the crypto room: CMAC, DUKPT, TR-31, wiping, self-test."""

import os

from kassa.crypto import cmac as macs
from kassa.crypto import device, dukpt, tr31, wipe
from kassa.crypto.sealing import Sealer


def cmac(key, message):
    """One tag; then the same by a kept object after another message."""
    key, message = bytes.fromhex(key), bytes.fromhex(message)
    size = max(16, (len(message) + 15) // 16 * 16)
    kept = macs.Cmac(key)
    tag = bytearray(16)
    work = bytearray(48)
    kept.finish(memoryview(work), 40, tag)
    work = bytearray(size)
    work[: len(message)] = message
    kept.finish(memoryview(work), len(message), tag)
    return [macs.cmac(key, message).hex(), tag.hex()]


def working_keys(initial, device_id, counter, usage, usage2):
    """Two working keys of a counter, reached from the initial key by skipping."""
    store = bytearray(512)
    dukpt.load(bytes.fromhex(initial), bytes.fromhex(device_id), store)
    registers = dukpt.Registers(store, bytes.fromhex(device_id), 1)
    registers.skip_to(counter)
    one, two = bytearray(16), bytearray(16)
    taken = registers.take(usage, one, usage2, two)
    return [taken, one.hex(), two.hex()]


def run(initial, device_id, start, count):
    """[counter, key] for `count` counters in turn, from the first valid one at or after `start`."""
    store = bytearray(512)
    dukpt.load(bytes.fromhex(initial), bytes.fromhex(device_id), store)
    registers = dukpt.Registers(store, bytes.fromhex(device_id), 1)
    registers.skip_to(start)
    found = []
    for _ in range(count):
        one, two = bytearray(16), bytearray(16)
        found.append([registers.take(dukpt.DATA, one, dukpt.MAC_SEAL, two), one.hex(), two.hex()])
    return found


def unwrap(kbpk, block):
    """Initial key and id out of a TR-31 block."""
    key, initial_id = tr31.unwrap_initial_key(bytearray(bytes.fromhex(kbpk)), block.encode())
    return [key.hex(), initial_id.hex()]


def wiped():
    """Bytes of a marked key still found in the memory of a cipher object after wiping, and before."""
    import uctypes
    from cryptolib import aes

    key = bytes(range(0x41, 0x51))
    cipher = aes(key, 1)
    block = bytearray(16)
    cipher.encrypt(block, block)
    memory = uctypes.bytearray_at(id(cipher), 64)
    before = bytes(memory).find(key) >= 0
    wipe.wipe_cipher(cipher)
    return [before, bytes(memory).find(key) >= 0]


def seal(data_key, seal_key, record):
    """Seal 240 bytes of header, nonce and data."""
    page = bytearray(bytes.fromhex(record)) + bytearray(8)
    view = memoryview(page)
    sealer = Sealer(bytearray(bytes.fromhex(data_key)), bytearray(bytes.fromhex(seal_key)))
    sealer.seal(view[64:240], view[:240], memoryview(bytearray(240)), view[240:248])
    sealer.wipe()
    return page.hex()


def self_test(stuck):
    """The boot self-test, with a good or a stuck entropy source."""
    device.self_test((lambda size: bytes(size)) if stuck else os.urandom)
    return "passed"
