# SPDX-License-Identifier: MIT
"""A keyring partition that MicroPython uses life by life, and the checks after each life."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault import dump
from tools.device_key import device_key
from tools.host.keys import dukpt
from tools.host.keys.host_keys import TEST_BDK
from tools.provision.device import initial_key_block

SECRET = bytes(range(50, 82))
IKID = bytes.fromhex("1234567890123456")
NEXT = bytes.fromhex("1234567890123457")
SECTORS = 8
SIZE = SECTORS * 4096
BLOCK = 2048
COPY = 592


class Ring:
    """A keyring partition in a file, and all the keys and STANs it has issued."""

    def __init__(self, inside: Inside, path: Path) -> None:
        self.inside, self.path = inside, path
        self.keys: list[tuple[str, int]] = []  # initial key id, counter
        self.stans: list[int] = []

    @property
    def data(self) -> bytes:
        return self.path.read_bytes()

    @property
    def counters(self) -> list[int]:
        return [counter for _, counter in self.keys]

    def set(self, data: bytes, keys: list[tuple[str, int]] | None = None, stans: list[int] | None = None) -> Ring:
        """Use another image, with the keys and STANs issued before it."""
        self.path.write_bytes(data)
        self.keys, self.stans = list(keys or []), list(stans or [])
        return self

    def live(
        self,
        steps: list[Any],
        cut: int = 0,
        tear: str = "none",
        seed: int = 1,
        faults: list[tuple[int, str]] | None = None,
    ) -> dict[str, Any]:
        """Run one life, see cases_keys.keyring. Asserts that each key is the host's."""
        kind, _, number = tear.partition(":")
        tear, seed = (kind, int(number)) if kind == "random" else (tear, seed)
        result = self.inside("keys", "keyring", str(self.path), SECRET.hex(), steps, cut, tear, seed, faults or [])
        for counter, data_key, _, ikid in result["keys"]:
            ksn = bytes.fromhex(ikid) + counter.to_bytes(4, "big")
            assert data_key == dukpt.working_key(TEST_BDK, ksn, dukpt.DATA_ENCRYPT).hex()
        self.keys += [(ikid, counter) for counter, _, _, ikid in result["keys"]]
        self.stans += [stan for stan, _ in result["stans"]]
        return result

    def nothing_twice(self) -> None:
        assert len(set(self.keys)) == len(self.keys) and len(set(self.stans)) == len(self.stans)

    def secret_kept(self) -> None:
        """Nothing in the chip is, or leads to, a key already issued."""
        for ikid in {ikid for ikid, _ in self.keys}:
            counters = [counter for under, counter in self.keys if under == ikid]
            assert dump.search(self.data, SECRET, TEST_BDK, bytes.fromhex(ikid), counters, thorough=False) == []

    def state_sector(self) -> int:
        """The sector that holds the only key state."""
        (sector,) = (at // 4096 for at in range(0, SIZE, 4096) if self.data[at : at + 2] == b"KR")
        return sector


def staged() -> bytes:
    """A partition as left by provisioning."""
    block = initial_key_block(device_key(SECRET, b"kbpk"), IKID, TEST_BDK)
    return block.ljust(SIZE, b"\xff")


def update_key(ikid: bytes) -> bytes:
    """The host's working key 0002 for counter FFFFFFFF."""
    return dukpt.working_key(TEST_BDK, ikid + b"\xff" * 4, 0x0002)


def renewal(old: bytes = IKID, new: bytes = NEXT, kbpk: bytes = b"") -> list[str]:
    """The step that replaces the keys of `old`."""
    return ["renew", initial_key_block(kbpk or update_key(old), new, TEST_BDK).decode()]


def all_secrets(ring: Ring, *gone: bytes, thorough: bool = True) -> list[str]:
    """What the chip still reveals of replaced key sets: their initial, update and first keys, and their key blocks."""
    found = []
    for ikid in gone:
        found += dump.search(ring.data, SECRET, TEST_BDK, ikid, range(1, 40), thorough)
        found += ["update key"] * (update_key(ikid) in set(dump.windows(ring.data, SECRET, thorough)))
    return found
