# SPDX-License-Identifier: MIT
"""A chip as provisioning sees it: what it is, what it holds, and the steps that change it. Talks through a Repl."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from tools.hardware import partitions
from tools.hardware.catalogue import OFFICIAL, BoardFolder
from tools.hardware.partitions import KEPT
from tools.provision.errors import ChipFailed, NotKassa, PaymentsThere, SecretLost, WrongBoard
from tools.provision.repl import Repl

SECTOR = 4096
_PIECE = 512  # bytes written by one call
_ERASED = b"\xff"


@dataclass(frozen=True)
class Target:
    """The board that a chip is expected to be. `partitions`: label -> (address, size), those that provisioning writes."""

    name: str
    mcu: str
    partitions: dict[str, tuple[int, int]]

    @classmethod
    def of(cls, board: BoardFolder) -> "Target":
        """The target of a board's folder. Both of its partition tables have these partitions at the same addresses."""
        rows = partitions.read_csv(board.folder / OFFICIAL)
        return cls(
            board.name, board.chip.name, {row.label: (row.address, row.size) for row in rows if row.label in KEPT}
        )


@dataclass(frozen=True)
class Facts:
    """Who a chip is. `board`: the name of the target that fits. `mac`: 12 hex digits."""

    board: str
    mac: str
    firmware: str


@dataclass(frozen=True)
class Held:
    """What a chip holds. `keys`: initial key id, hex, or "". `terminal`: its id, or "" without valid settings.

    `sequence`: of its newest payment, 0 = none. `sector` and `generation`: of its settings.
    """

    secret: bool
    sequence: int
    keys: str
    terminal: str
    sector: int
    generation: int


class Chip:
    """The chip behind a Repl. Every method raises LinkLost, and ChipFailed if the chip could not do it."""

    def __init__(self, repl: Repl, targets: Sequence[Target]) -> None:
        """Find out who it is. `targets`: the boards it may be. Raises NotKassa, WrongBoard."""
        self._repl = repl
        found = repl.first()
        mcu = str(found["machine"]).rpartition(" with ")[2].lower()
        if not found["mac"]:
            raise NotKassa(f"this is no ESP32 with MicroPython, but {found['machine'] or 'something else'}")
        there = {label: tuple(place) for label, place in found["partitions"].items()}
        self._target = _fitting(targets, mcu, there)
        if not found["firmware"]:
            raise NotKassa(f"no Kassa on this chip: run make flash BOARD={self._target.name} first")
        self.facts = Facts(self._target.name, found["mac"], found["firmware"])
        repl.load("steps.py")

    def held(self) -> Held:
        """What it holds. Raises SecretLost, PaymentsThere."""
        found = self._repl.call("held")
        if found["journal"] and not found["secret"]:
            raise SecretLost(
                "this chip has a journal, but its secret is lost, and with it what its payments were sealed with. If they "
                "are no loss, run esptool erase-flash, then make flash."
            )
        if found["journal"]:
            raise PaymentsThere(f"the journal of this chip cannot be read ({found['journal']}); payments may be in it")
        if found["count"] or found["flags"] or found["sequence"] > max(found["watermark"], found["closed"]):
            raise PaymentsThere(
                "this chip holds payments that are not sent yet; put it on the network and settle the batch"
            )
        if found["sequence"] > found["closed"]:
            raise PaymentsThere("the open batch of this chip holds payments; settle it at the terminal")
        kept = ("secret", "sequence", "keys", "terminal", "sector", "generation")
        return Held(**{name: found[name] for name in kept})

    def make_secret(self) -> None:
        """Make the device secret, on the chip."""
        self._repl.call("make_secret")

    def sealing_keys(self) -> tuple[bytes, bytes, bytes]:
        """Settings key, cards key and KBPK (docs/keys.md)."""
        settings, cards, kbpk = map(bytes.fromhex, self._repl.call("sealing_keys"))
        return settings, cards, kbpk

    def load_keys(self, used: int) -> str:
        """Have the chip load its staged key block, and skip the counters up to `used`. Returns the initial key id."""
        return str(self._repl.call("load_keys", used))

    def blank(self, label: str, first: int = 0, count: int = 0) -> None:
        """Erase sectors and check that they are blank. `count` 0: to the end of the partition."""
        count = count or self.sectors(label) - first
        self._repl.call("erase", label, first, count)
        self._compare(label, first, count, b"")

    def write(self, label: str, sector: int, content: bytes) -> None:
        """Program blank sectors from the beginning of one, read them back and compare."""
        content += _ERASED * (-len(content) % 16)
        for at in range(0, len(content), _PIECE):
            where = sector + at // SECTOR
            self._repl.call("write", label, where, at % SECTOR, content[at : at + _PIECE].hex())
        self._compare(label, sector, -(-len(content) // SECTOR), content)

    def check(self) -> tuple[str, str, int]:
        """Have the chip open everything, as at boot: terminal id, initial key id, bytes of its card tables."""
        terminal, keys, cards = self._repl.call("check")
        return terminal, keys, cards

    def restart(self) -> None:
        """Start the terminal. The connection ends."""
        self._repl.restart()

    def sectors(self, label: str) -> int:
        """How many sectors a partition has."""
        return self._target.partitions[label][1] // SECTOR

    def _compare(self, label: str, first: int, count: int, content: bytes) -> None:
        wanted = hashlib.sha256(content.ljust(count * SECTOR, _ERASED)).hexdigest()
        if self._repl.call("digest", label, first, count) != wanted:
            raise ChipFailed(f"{label} does not hold what was written: the flash of this chip is worn or damaged")


def _fitting(targets: Sequence[Target], mcu: str, there: dict[str, tuple[int, ...]]) -> Target:
    """The target with this chip and these partitions. Raises WrongBoard."""
    alike = [target for target in targets if target.mcu == mcu]
    if not alike:
        wanted = ", ".join(f"{target.name} has an {target.mcu}" for target in targets)
        raise WrongBoard(f"this chip is an {mcu}; {wanted}")
    for target in alike:
        if all(there.get(label) == place for label, place in target.partitions.items()):
            return target
    names = " or ".join(target.name for target in alike)
    raise WrongBoard(f"the flash of this chip is not laid out for {names}: run make flash with its BOARD= first")
