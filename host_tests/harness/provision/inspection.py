# SPDX-License-Identifier: MIT
"""Opens what a provisioned chip holds, from its flash image and its secret, without the firmware's code."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tools.device_key import device_key
from tools.host.keys import mac
from tools.world.flash import PARTITIONS

_SECTOR = 4096


def partition(home: Path, label: str) -> bytes:
    address, size = PARTITIONS[label]
    return (home / "flash.bin").read_bytes()[address : address + size]


def rot(home: Path, label: str) -> None:
    """Lose what a partition holds: every bit of it reads as programmed. The chip must have no power."""
    address, size = PARTITIONS[label]
    with (home / "flash.bin").open("r+b") as flash:
        flash.seek(address)
        flash.write(bytes(size))


def settings(home: Path) -> list[dict[int, bytes]]:
    """The settings that verify, by id, one entry for each sector; a terminal at rest has exactly one."""
    key = device_key((home / "efuse.bin").read_bytes(), b"settings")
    whole, found = partition(home, "settings"), []
    for sector in (whole[:_SECTOR], whole[_SECTOR : 2 * _SECTOR]):
        size = int.from_bytes(sector[8:10], "big")
        if sector[:3] != b"KS\x01" or mac.cmac(key, sector[: 16 + size]) != sector[16 + size : 32 + size]:
            continue
        cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).decryptor()
        plain, at, values = cipher.update(sector[16 : 16 + size]), 16, {}
        while at < len(plain) and plain[at]:
            length = int.from_bytes(plain[at + 1 : at + 3], "big")
            values[plain[at]] = plain[at + 3 : at + 3 + length]
            at += 3 + length
        found.append(values)
    return found


def key_ids(home: Path) -> set[str]:
    """The initial key ids, hex, of the key states that verify. With one of them the chip issues keys."""
    key = device_key((home / "efuse.bin").read_bytes(), b"keyring")
    whole, found = partition(home, "keyring"), set()
    for at in range(_SECTOR, len(whole), 2048):
        state = whole[at : at + 592]
        if state[:3] == b"KR\x02" and mac.cmac(key, state[:576]) == state[576:]:
            found.add(state[8:16].hex())
    return found


def staging_is_blank(home: Path) -> bool:
    """Whether no key block waits to be loaded."""
    return not partition(home, "keyring")[:_SECTOR].strip(b"\xff")


def cards_hold(home: Path) -> bool:
    key = device_key((home / "efuse.bin").read_bytes(), b"cards")
    whole = partition(home, "cards")
    size = int.from_bytes(whole[8:10], "big")
    return whole[:3] == b"KC\x01" and mac.cmac(key, whole[: 16 + size]) == whole[16 + size : 32 + size]


def first_counter(home: Path) -> int:
    """The lowest counter in a key state that is not reserved yet; those below may have been used."""
    whole = partition(home, "keyring")
    states = [whole[at : at + 592] for at in range(_SECTOR, len(whole), 2048)]
    return min(int.from_bytes(state[16:20], "big") for state in states if state[:3] == b"KR\x02")
