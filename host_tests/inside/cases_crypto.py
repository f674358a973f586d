# SPDX-License-Identifier: MIT
"""Cases of the crypto room: CMAC, DUKPT, TR-31, wiping, self-test."""

import os

from kassa.crypto import cmac as macs
from kassa.crypto import device, dukpt, tr31, wipe
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
            kept.rest()
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
        kept.finish(work, work[:16], memoryview(bytearray(8)))
    else:
        if whole:
            kept.absorb(work)
        kept.end()
    return bytes(kept.chain)


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
    sealer = Sealer(bytearray(data_key), bytearray(seal_key))
    if used:
        _seal(sealer, memoryview(bytearray(248)))
    mac = sealer.mac

    def look():
        parts = [_memory(cipher) for cipher in (sealer.body, mac._cbc)]
        return b"".join(parts + [bytes(part) for part in (mac._masked, mac._still, mac.chain)]).hex()

    before = look()
    sealer.wipe()
    return [before, look()]


def residue(initial, device_id, counter):
    """The registers and the working buffer of a DUKPT after taking a key: none of it is that key's register."""
    store = bytearray(512)
    dukpt.load(bytes.fromhex(initial), bytes.fromhex(device_id), store)
    registers = dukpt.Registers(store, bytes.fromhex(device_id), 1)
    registers.skip_to(counter)
    one, two = bytearray(16), bytearray(16)
    registers.take(dukpt.DATA, one, dukpt.MAC_SEAL, two)
    return [store.hex(), registers._work.hex()]


def seal(data_key, seal_key, record):
    """Seal 240 bytes of header, nonce and data."""
    page = bytearray(bytes.fromhex(record)) + bytearray(8)
    sealer = Sealer(bytearray(bytes.fromhex(data_key)), bytearray(bytes.fromhex(seal_key)))
    _seal(sealer, memoryview(page))
    sealer.wipe()
    return page.hex()


def _seal(sealer, page):
    """Seal a record as the journal does."""
    work = memoryview(bytearray(224))
    sealer.body.encrypt(page[64:240], page[64:240])
    work[:] = page[:224]
    sealer.mac.last[:] = page[224:240]
    sealer.mac.finish(work, work[:16], page[240:248])


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
    device.self_test(sources[source])
    return "passed"


def device_keys(secret):
    """The four device keys."""
    secret = bytearray(bytes.fromhex(secret))
    purposes = (device.JOURNAL, device.KEYRING, device.SETTINGS, device.KBPK)
    return [device.device_key(secret, purpose).hex() for purpose in purposes]


def counters(start, count):
    """[counter] of `count` valid counters after `start`; the error's name where there is no more."""
    found = []
    try:
        for _ in range(count):
            start = dukpt.after(start)
            found.append(start)
    except KeyringError:
        found.append("KeyringError")
    return found
