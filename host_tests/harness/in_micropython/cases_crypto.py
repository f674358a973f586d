# SPDX-License-Identifier: MIT
"""Cases of the crypto room: CMAC, DUKPT, TR-31, wiping, self-test."""

import os
from struct import pack_into

from kassa.crypto import cmac as macs
from kassa.crypto import device_keys as keys_of_device
from kassa.crypto import dukpt, initial_key, tr31, wipe
from kassa.crypto.sealing import Sealer
from kassa.errors import CryptoError, KeyringError


def cmac(key, message):
    """One tag; then the same by a kept object after another message, and once more after it has rested."""
    key, message = bytes.fromhex(key), bytes.fromhex(message)
    partial = not message or len(message) % 16 > 0
    kept = macs.Cmac(key, partial, True)
    tags = [macs.cmac(key, message).hex()]
    for rest in (False, True):
        _finish(kept, b"a message of another size"[: 24 if partial else 16])
        if rest:
            kept.reset()
        tags.append(_finish(kept, message).hex())
    return tags


def _finish(kept, message):
    """Tag a message by a kept object."""
    whole = max(0, (len(message) - 1) // 16 * 16)
    end = message[whole:]
    kept.last[: len(end)] = end
    for index in range(len(end), 16):
        kept.last[index] = 0 if index > len(end) else 0x80
    work = memoryview(bytearray(message[:whole]))
    if whole and whole % 32:
        kept.finish(work, work, memoryview(bytearray(8)))
    else:
        if whole:
            kept.absorb(work)
        kept.end()
    return bytes(kept.chain)


def _registers(initial, device_id, start):
    """The registers at the first valid counter from `start` on."""
    store = bytearray(initial_key.STORE)
    device_id = bytes.fromhex(device_id)
    initial_key.load(bytes.fromhex(initial), device_id, store)
    registers = dukpt.Registers(store, device_id, 1)
    registers.skip_to(start)
    return registers


def working_keys(initial, device_id, counter, usage, usage2):
    """Two working keys of a counter, reached from the initial key by skipping."""
    one, two = bytearray(16), bytearray(16)
    taken = _registers(initial, device_id, counter).take(usage, one, usage2, two)
    return [taken, one.hex(), two.hex()]


def update_key(initial, device_id):
    """The key that wraps the next initial key."""
    return _registers(initial, device_id, 1).store[initial_key.UPDATE :].hex()


def run(initial, device_id, start, count):
    """[counter, key] for `count` counters in turn, from the first valid one at or after `start`."""
    registers = _registers(initial, device_id, start)
    found = []
    for _ in range(count):
        one, two = bytearray(16), bytearray(16)
        found.append([registers.take(dukpt.DATA, one, dukpt.MAC_SEAL, two), one.hex(), two.hex()])
    return found


def many_keys(initial, device_id, targets, each):
    """`each` counters in turn from each target on, which rise: all (counter, key, key), 36 B each, in hex."""
    registers = _registers(initial, device_id, 1)
    found = bytearray(36 * len(targets) * each)
    view = memoryview(found)
    at = 0
    for target in targets:
        registers.skip_to(target)
        for _ in range(each):
            counter = registers.take(dukpt.DATA, view[at + 4 : at + 20], dukpt.MAC_SEAL, view[at + 20 : at + 36])
            pack_into(">I", found, at, counter)
            at += 36
            if registers.counter > 0xFFFF0000:
                return found[:at].hex()
    return found[:at].hex()


def refusals(kbpk, block):
    """Every block that differs from this one in one bit: how many there are, and the positions of those not refused."""
    good = block.encode()
    key = bytearray(bytes.fromhex(kbpk))
    taken = []
    for index in range(len(good)):
        for bit in range(8):
            bad = bytearray(good)
            bad[index] ^= 1 << bit
            try:
                tr31.unwrap_initial_key(key, bytes(bad))
                taken.append([index, bit])
            except CryptoError:
                pass
    return [len(good) * 8, taken]


def unwrap(kbpk, block):
    """Initial key and id out of a TR-31 block."""
    key, initial_id = tr31.unwrap_initial_key(bytearray(bytes.fromhex(kbpk)), block.encode())
    return [key.hex(), initial_id.hex()]


def _memory(thing, size=288):
    """The bytes where an object lies."""
    import uctypes

    return bytes(uctypes.bytearray_at(wipe._address(thing), size))


def wiped(key, mode, use):
    """The memory of a cipher object before and after wiping. `use`: 0 not used, 1 encrypted, 2 decrypted."""
    from cryptolib import aes

    key = bytes.fromhex(key)
    cipher = aes(key, mode) if mode == 1 else aes(key, mode, bytes(16))
    block = bytearray(16)
    if use:
        (cipher.encrypt if use == 1 else cipher.decrypt)(block, block)
    before = _memory(cipher)
    wipe.wipe_cipher(cipher)
    return [before.hex(), _memory(cipher).hex()]


def wiped_objects(data_key, seal_key, used):
    """What a Sealer keeps, before and after wiping: the memory of its ciphers and its buffers."""
    data_key, seal_key = bytes.fromhex(data_key), bytes.fromhex(seal_key)
    sealer = Sealer(bytearray(data_key), bytearray(seal_key), bytearray(16))
    if used:
        _seal(sealer, memoryview(bytearray(248)))
    mac = sealer.mac

    def look():
        parts = [_memory(cipher) for cipher in (sealer.body, mac._cbc)]
        return b"".join(parts + [bytes(part) for part in (mac._masked, mac._state)]).hex()

    before = look()
    sealer.wipe()
    return [before, look()]


def residue(initial, device_id, counter):
    """The registers of a DUKPT after taking a key, and all else it keeps: none of it is that key's register."""
    registers = _registers(initial, device_id, counter)
    one, two = bytearray(16), bytearray(16)
    registers.take(dukpt.DATA, one, dukpt.MAC_SEAL, two)
    return [registers.store.hex(), (bytes(registers._own) + registers._data).hex()]


def seal(data_key, seal_key, record):
    """Seal 240 bytes of header, nonce and data."""
    page = bytearray(bytes.fromhex(record)) + bytearray(8)
    nonce = memoryview(page)[64:80]
    sealer = Sealer(bytearray(bytes.fromhex(data_key)), bytearray(bytes.fromhex(seal_key)), nonce)
    _seal(sealer, memoryview(page))
    sealer.wipe()
    return page.hex()


def _seal(sealer, page):
    """Seal a record as the journal does."""
    work = memoryview(bytearray(224))
    sealer.body.encrypt(page[80:240], page[80:240])
    sealer.mac.last[:] = page[224:240]
    sealer.mac.finish(page[:224], work, page[240:248])


def self_test(source):
    """The boot self-test, with a good entropy source or one that fails: all zeros, the same bytes again, hardly any values."""
    same = os.urandom(32)
    sources = {
        "good": os.urandom,
        "zeros": lambda size: bytes(size),
        "repeating": lambda size: same[:size],
        "few": lambda size: bytes([byte & 3 for byte in os.urandom(size)]),
        "ones": lambda size: b"\xff" * size,
    }
    keys_of_device.self_test(sources[source])
    return "passed"


def device_keys(secret):
    """The four device keys."""
    secret = bytearray(bytes.fromhex(secret))
    purposes = (keys_of_device.JOURNAL, keys_of_device.KEYRING, keys_of_device.SETTINGS, keys_of_device.KBPK)
    return [keys_of_device.device_key(secret, purpose).hex() for purpose in purposes]


def counters(start, count):
    """[counter] of `count` counters taken in turn from the first valid one after `start`; the error's name where there is none."""
    registers = _registers(bytes(16).hex(), "00000000", start + 1)
    found = []
    one, two = bytearray(16), bytearray(16)
    try:
        for _ in range(count):
            found.append(registers.take(dukpt.DATA, one, dukpt.MAC_SEAL, two))
    except KeyringError:
        found.append("KeyringError")
    return found
