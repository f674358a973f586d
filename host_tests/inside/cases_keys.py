# SPDX-License-Identifier: MIT
"""Cases of keyring and settings: one life of a partition, steps until a power cut or the end."""

import hashlib

from chips import Chip, PowerCut

from kassa.crypto.device import KBPK, KEYRING, SETTINGS, device_key
from kassa.crypto.dukpt import DATA, MAC_SEAL
from kassa.errors import KassaError
from kassa.vault.keyring import Keyring
from kassa.vault.settings import Settings

_SECTOR = 4096


class Entropy:
    """Bytes as random as SHA-256 is, the same for the same seed."""

    def __init__(self, seed):
        self._seed = seed
        self._count = 0

    def __call__(self, size):
        self._count += 1
        return hashlib.sha256(b"%d %d" % (self._seed, self._count)).digest()[:size]


def used_sectors(chip):
    """Which sectors are not blank."""
    data = chip.store.getvalue()
    blank = b"\xff" * _SECTOR
    return [at // _SECTOR for at in range(0, len(data), _SECTOR) if data[at : at + _SECTOR] != blank]


def keyring(path, secret, steps, cut=0, tear="none", seed=1):
    """Open and do the steps: "take", "stan", ["skip", n] (give up keys until n are left), "close" (open again, same power).

    `keys` are [counter, data key, sectors in use when it was given out]; `stans` likewise.
    """
    chip = Chip(path, cut, tear, seed)
    secret = bytearray(bytes.fromhex(secret))
    result = {"keys": [], "stans": [], "cut": False, "error": "", "id": ""}
    try:
        ring = _open(chip, secret, seed)
        result["opened"] = used_sectors(chip)
        result["id"] = bytes(ring.initial_id).hex()
        for step in steps:
            if step == "take":
                data, tag = bytearray(16), bytearray(16)
                counter = ring.take(DATA, data, MAC_SEAL, tag)
                result["keys"].append([counter, data.hex(), used_sectors(chip)])
            elif step == "stan":
                result["stans"].append([ring.next_stan(), used_sectors(chip)])
            elif step == "close":
                ring = _open(chip, secret, seed)
            else:
                ring._registers.skip_to(ring._end - step[1])
    except PowerCut:
        result["cut"] = True
    except KassaError as error:
        result["error"] = type(error).__name__
    result["operations"] = chip.operations()
    chip.save()
    return result


def _open(chip, secret, seed):
    ring = Keyring(chip.region(), device_key(secret, KEYRING), Entropy(seed))
    ring.open(device_key(secret, KBPK))
    return ring


def many(path, secret, count):
    """Take `count` keys and STANs in turn; [counters, stans, erases, bytes programmed]."""
    chip = Chip(path)
    ring = _open(chip, bytearray(bytes.fromhex(secret)), 1)
    counters, stans = [], []
    data, tag = bytearray(16), bytearray(16)
    for _ in range(count):
        counters.append(ring.take(DATA, data, MAC_SEAL, tag))
        stans.append(ring.next_stan())
    chip.save()
    return [counters, stans, chip.chip.erases, chip.chip.bytes_programmed]


def settings(path, secret, steps, cut=0, tear="none", seed=1):
    """Open and do the steps: ["get", id], ["put", id, value in hex]."""
    chip = Chip(path, cut, tear, seed)
    result = {"values": [], "cut": False, "error": ""}
    try:
        values = Settings(
            chip.region(), device_key(bytearray(bytes.fromhex(secret)), SETTINGS), Entropy(seed + len(steps))
        )
        values.open()
        for step in steps:
            if step[0] == "get":
                result["values"].append(values.get(step[1]).hex())
            else:
                values.put(step[1], bytes.fromhex(step[2]))
    except PowerCut:
        result["cut"] = True
    except KassaError as error:
        result["error"] = type(error).__name__
    result["operations"] = chip.operations()
    chip.save()
    return result
