# SPDX-License-Identifier: MIT
"""Tables from the host in the cards partition: a power cut leaves the old or the new table, and all others unchanged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from host_tests.harness.in_micropython.runner import Inside
from host_tests.harness.vault.lives import TEARS
from tools.host.tables import publication
from tools.host.tables.card_entries import Application, Entry, Excepted, Revocation, blob
from tools.provision.ca_public_keys import TEST

KEY = bytes(range(3, 19))
SIZE = 8 * 4096
KEYS, BLOCKED, APPLICATIONS = range(3)
OLD: tuple[Entry, ...] = (*TEST[:2], Excepted("4761730000000011"))
NEW_KEYS = (*TEST[2:], Revocation(b"\xa0\0\0\0\x04", 0xEF, b"\0\0\x07"))
ROWS = (Application(b"\xa0\0\0\0\x03", 3, floor=5_000), Application(b"\xa0\0\0\0\x04", 2, limit=9_900))


class Partition:
    """A cards partition in a file."""

    def __init__(self, inside: Inside, path: Path) -> None:
        self.inside, self.path = inside, path
        path.write_bytes(blob(KEY, OLD).ljust(SIZE, b"\xff"))

    def take(self, table: int, version: int, data: bytes, piece: int = 192, cut: int = 0, tear: str = "none") -> Any:
        kind, _, number = tear.partition(":")
        tear, seed = (kind, int(number)) if kind == "random" else (tear, 1)
        more = piece, cut, tear, seed
        return self.inside("keys", "cards", str(self.path), KEY.hex(), table, version, data.hex(), *more)

    def holds(self) -> tuple[list[int], list[str]]:
        versions, entries = self.inside("keys", "cards_hold", str(self.path), KEY.hex())
        return versions, entries


def packed(entries: Sequence[Entry]) -> list[str]:
    return sorted(entry.pack(KEY).hex() for entry in entries)


@pytest.fixture
def partition(inside: Inside, tmp_path: Path) -> Partition:
    return Partition(inside, tmp_path / "cards.bin")


def test_a_table_replaces_only_its_own_kind(partition: Partition) -> None:
    assert partition.holds() == ([0, 0, 0], packed(OLD))
    steps = ((KEYS, 4, publication.ca_keys(NEW_KEYS)), (APPLICATIONS, 7, publication.applications(ROWS)),
             (BLOCKED, 2, publication.blocked_bins(["99"])), (APPLICATIONS, 8, publication.applications(ROWS[:1])))  # fmt: skip
    for step in steps:
        assert not partition.take(*step)["error"]
    versions, entries = partition.holds()
    bins = [publication.blocked_bins(["99"]).hex()]
    assert versions == [4, 2, 8] and entries == sorted(packed((OLD[2], *NEW_KEYS, ROWS[0])) + bins)


@pytest.mark.parametrize(
    "table, data", [(KEYS, publication.ca_keys(NEW_KEYS)), (APPLICATIONS, publication.applications(ROWS))]
)
def test_a_power_cut_at_any_operation_leaves_the_old_or_the_new_table(
    partition: Partition, table: int, data: bytes
) -> None:
    """Afterwards the table is complete, every other entry is there, and the next fetch works."""
    assert not partition.take(BLOCKED, 1, publication.blocked_bins(["99"]))["error"]
    start, before = partition.path.read_bytes(), partition.holds()
    total, cuts, new = partition.take(table, 3, data)["operations"], 0, partition.holds()
    assert new != before
    for operation in range(1, total + 1):
        for tear in TEARS:
            partition.path.write_bytes(start)
            assert partition.take(table, 3, data, cut=operation, tear=tear)["cut"]
            assert partition.holds() in (before, new), (operation, tear)
            assert not partition.take(table, 3, data)["error"]
            assert partition.holds() == new
            cuts += 1
    print(f"{cuts} cuts")
    assert cuts >= 20 * len(TEARS)


@pytest.mark.parametrize(
    "table, data, piece",
    [
        (APPLICATIONS, publication.applications(ROWS)[:-16], 192),
        (APPLICATIONS, publication.applications(ROWS), 24),
        (APPLICATIONS, publication.ca_keys(TEST[:1]), 192),
        (APPLICATIONS, b"\x06\x05" + publication.applications(ROWS)[2:], 192),
        (APPLICATIONS, b"\x06\x02\x04" + publication.applications(ROWS)[3:], 192),
        (APPLICATIONS, publication.applications(ROWS * 13), 192),
        (KEYS, publication.applications(ROWS), 192),
        (KEYS, publication.ca_keys(TEST * 20), 192),
        (BLOCKED, bytes(32), 192),
    ],
    ids=["cut short", "odd pieces", "keys", "kernel 5", "AID of 4", "25 rows", "rows", "no room", "nothing"],
)
def test_an_invalid_table_leaves_the_old_one(partition: Partition, table: int, data: bytes, piece: int) -> None:
    before = partition.holds()
    assert partition.take(table, 9, data, piece)["error"] == "WireError"
    assert partition.holds() == before
    assert not partition.take(APPLICATIONS, 1, publication.applications(ROWS))["error"]
    assert partition.holds() == ([0, 0, 1], packed((*OLD, *ROWS)))
