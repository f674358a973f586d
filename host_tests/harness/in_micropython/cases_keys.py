# SPDX-License-Identifier: MIT
"""Cases for keyring, settings and card tables: one life of a partition, until a power cut or the last step."""

import gc
import hashlib
import io

from chips import Chip, FlashChip, PowerCut, Region
from keyring_faults import FaultyChip

from kassa.crypto.device_keys import KBPK, KEYRING, SETTINGS, device_key
from kassa.crypto.dukpt import DATA, MAC_SEAL
from kassa.errors import KassaError
from kassa.vault.card_tables.ca_public_keys import Authorities, size_of
from kassa.vault.card_tables.table_writer import CardTables
from kassa.vault.keyring.keyring import Keyring
from kassa.vault.settings.acts import Acts
from kassa.vault.settings.code_tries import Tries
from kassa.vault.settings.settings import CARDS, Settings

_SECTOR = 4096


class Entropy:
    """Pseudo-random bytes from SHA-256, determined by the seed."""

    def __init__(self, seed):
        self._seed = seed
        self._count = 0

    def __call__(self, size):
        self._count += 1
        return hashlib.sha256(b"%d %d" % (self._seed, self._count)).digest()[:size]


def used_sectors(chip):
    """The sectors that are not blank."""
    data = chip.store.getvalue()
    blank = b"\xff" * _SECTOR
    return [at // _SECTOR for at in range(0, len(data), _SECTOR) if data[at : at + _SECTOR] != blank]


def keyring(path, secret, steps, cut=0, tear="none", seed=1, faults=()):
    """Open and run the steps: "take", "stan", ["skip", n] (discard keys until n are left), ["jump", counter] (discard all
    before it, reserved or not), ["renew", block], "close" (reopen without power loss). The first error ends it.

    `keys`: [counter, data key, sectors in use at that time, initial key id]; `stans`: [STAN, sectors in use].
    """
    chip = FaultyChip(path, cut, tear, seed, faults) if faults else Chip(path, cut, tear, seed)
    secret = bytearray(bytes.fromhex(secret))
    result = {"keys": [], "stans": [], "cut": False, "error": "", "reason": "", "id": "", "damaged": 0}
    try:
        ring = _open(chip, secret, seed)
        result["read"] = chip.chip.bytes_read
        result["opened"] = used_sectors(chip)
        result["id"] = bytes(ring.initial_id).hex()
        result["damaged"] = ring.damaged
        for step in steps:
            if step == "take":
                data, tag = bytearray(16), bytearray(16)
                counter = ring.take(DATA, data, MAC_SEAL, tag)
                result["keys"].append([counter, data.hex(), used_sectors(chip), bytes(ring.initial_id).hex()])
            elif step == "stan":
                result["stans"].append([ring.next_stan(), used_sectors(chip)])
            elif step == "close":
                ring = _open(chip, secret, seed)
            elif step[0] == "skip":
                ring.registers.skip_to(ring.end - step[1])
            elif step[0] == "jump":
                ring.registers.skip_to(step[1])
                ring.end = ring.registers.counter
            else:
                block = bytearray(step[1].encode())
                try:
                    ring.renew(block)
                finally:
                    result["block_left"] = any(block)
                    result["id"] = bytes(ring.initial_id).hex()
    except PowerCut:
        result["cut"] = True
    except KassaError as error:
        result["error"] = type(error).__name__
        result["reason"] = str(error)
    result["operations"] = chip.operations()
    chip.save()
    return result


def flips(path, secret, addresses):
    """Flip each bit of each address in turn and open: [counter, STAN, damaged copies], or the error's name."""
    with open(path, "rb") as image:
        data = bytearray(image.read())
    secret = bytearray(bytes.fromhex(secret))
    key, kbpk = device_key(secret, KEYRING), device_key(secret, KBPK)
    one, two = bytearray(16), bytearray(16)
    found = []
    for address in addresses:
        for bit in range(8):
            data[address] ^= 1 << bit
            chip = FlashChip(io.BytesIO(data), len(data))
            data[address] ^= 1 << bit
            ring = Keyring(Region(chip, 0, len(data)), key, Entropy(1))
            try:
                ring.open(kbpk)
                found.append([ring.take(DATA, one, MAC_SEAL, two), ring.next_stan(), ring.damaged])
            except KassaError as error:
                found.append(type(error).__name__)
    return found


def _open(chip, secret, seed):
    ring = Keyring(chip.region(), device_key(secret, KEYRING), Entropy(seed))
    ring.open(device_key(secret, KBPK))
    return ring


def many(path, secret, count):
    """Take `count` keys and STANs alternately; [counters, stans, erases, bytes programmed]."""
    chip = Chip(path)
    ring = _open(chip, bytearray(bytes.fromhex(secret)), 1)
    counters, stans = [], []
    data, tag = bytearray(16), bytearray(16)
    for _ in range(count):
        counters.append(ring.take(DATA, data, MAC_SEAL, tag))
        stans.append(ring.next_stan())
    chip.save()
    return [counters, stans, chip.chip.erases, chip.chip.bytes_programmed]


def _live(chip, work, **result):
    """Run `work` until it ends, power is cut or it raises a KassaError; returns `result`."""
    result["cut"], result["error"] = False, ""
    try:
        work(result)
    except PowerCut:
        result["cut"] = True
    except KassaError as error:
        result["error"] = type(error).__name__
    result["operations"] = chip.operations()
    chip.save()
    return result


def settings(path, secret, steps, cut=0, tear="none", seed=1):
    """Open and run the steps: ["get", id], ["put", id, value in hex], ["open", ids] for the values that opening returns.

    Of staff: ["wrong", key], ["right", key], ["tries", key]; ["act", number], ["sent", serial], ["unsent"].
    """
    chip = Chip(path, cut, tear, seed)

    def work(result):
        key = device_key(bytearray(bytes.fromhex(secret)), SETTINGS)
        values = Settings(chip.region(), key, Entropy(seed + len(steps)))
        values.open()
        for step in steps:
            if step[0] == "get":
                result["values"].append(values.get(step[1]).hex())
            elif step[0] == "open":
                found = values.open(tuple(step[1]))
                result["values"].append([[wanted, value.hex()] for wanted, value in found.items()])
            elif step[0] != "put":
                _staff(values, step, result["values"])
            else:
                values.put({step[1]: bytes.fromhex(step[2])})

    return _live(chip, work, values=[])


def _staff(values, step, found):
    """One step about the wrong tries of codes, or about the log of acts."""
    if step[0] in ("wrong", "right", "tries"):
        tries = Tries(values, bytes.fromhex(step[1]))
        if step[0] == "wrong":
            tries.begin()
        elif step[0] == "right":
            tries.right()
        found.append(tries.count)
        return
    acts = Acts(values)
    if step[0] == "act":
        acts.add(step[1], 1, 90, 7, 1234, 800000000)
        found.append(acts.serial)
    elif step[0] == "sent":
        acts.mark_sent(step[1])
    else:
        found.append([[act[0], int.from_bytes(act[3:7], "big"), act.hex()] for act in acts.unsent(1000)])


def comb():
    """Leave holes of many sizes in the heap, between small objects that stay: a buffer that grows must move often."""
    holes = []
    for size in (32, 64, 128, 256, 512, 1024, 2048) * 20:
        holes.append(bytearray(size))
        _teeth.append(bytearray(8))
    holes.clear()
    gc.collect()


_teeth = []


class _Noted:
    """Settings with a single value: the generation of the card tables."""

    def __init__(self, chip):
        self._chip = chip

    def get(self, wanted, default):
        return _noted.get(self._chip, default)

    def put(self, changes):
        _noted[self._chip] = changes[CARDS]


_noted = {}  # chip path -> generation


def cards(path, key, table, version, data, piece=192, cut=0, tear="none", seed=1):
    """Receive a host's table in pieces, as uplink.management does; `data` in hex."""
    chip = Chip(path, cut, tear, seed)
    raw = bytes.fromhex(data)

    def work(result):
        sink = CardTables(chip.region(), bytearray(bytes.fromhex(key)), table, _Noted(path))
        sink.begin(len(raw), version)
        for at in range(0, len(raw), piece):
            sink.add(memoryview(raw[at : at + piece]))
        sink.end()

    return _live(chip, work)


def cards_hold(path, key):
    """[each table's version], and all other entries in hex, sorted."""
    flash, secret = Chip(path).region(), bytearray(bytes.fromhex(key))
    store = Authorities(flash, secret)
    end, at, entries = store.size(), 0, []
    while at < end:
        head = bytearray(16)
        store.read(at, head)
        if not head[0]:
            break
        entry = bytearray(size_of(head))
        store.read(at, entry)
        at += len(entry)
        if entry[0] != 5:
            entries.append(entry.hex())
    return [CardTables(flash, secret, table, _Noted(path)).version for table in range(3)], sorted(entries)
