# SPDX-License-Identifier: MIT
"""Counts a store's flash operations on the board's NOR model: in total, per payment, and per sector."""

import io

from flashchip import SECTOR, FlashChip, Region

CHIP = 1 << 20


class Tally:
    """A chip in memory, blank or with the content `image`, and counts of its operations since `start`."""

    def __init__(self, size: int = CHIP, image: bytes = b"") -> None:
        self._memory = io.BytesIO(image or b"\xff" * size)
        self.chip = FlashChip(self._memory, size)
        self.flash = Region(self.chip, 0, size)
        self.read_before = 0  # bytes read before the latest program
        self._wear = [0] * (size // SECTOR)
        self.chip.listener = self._heard
        self.start()

    def start(self) -> None:
        """Start counting from zero."""
        self._from = self._now()
        self._pays = {}  # (erases, programs) -> number of payments that took so many
        for sector in range(len(self._wear)):
            self._wear[sector] = 0

    def pay(self, work) -> object:
        """Run `work()`, which makes one payment durable, and count its operations. Returns its result."""
        before = self._now()
        result = work()
        programs, _, erases = self._since(before)
        self._pays[erases, programs] = self._pays.get((erases, programs), 0) + 1
        return result

    def read(self) -> int:
        """Bytes read so far."""
        return self.chip.bytes_read

    def erased(self) -> int:
        """Erases since `start`."""
        return self._since(self._from)[2]

    def image(self) -> bytes:
        """The content of the chip."""
        return self._memory.getvalue()

    def _heard(self, is_erase: bool, address: int, size: int) -> None:
        if is_erase:
            self._wear[address // SECTOR] += 1
        else:
            self.read_before = self.chip.bytes_read

    def _now(self) -> tuple[int, int, int]:
        return self.chip.programs, self.chip.bytes_programmed, self.chip.erases

    def _since(self, before: tuple[int, int, int]) -> tuple[int, int, int]:
        programs, size, erases = self._now()
        return programs - before[0], size - before[1], erases - before[2]

    def report(self) -> dict:
        """Programs, bytes, erases in total (with settling and work ahead), `pays` (pay path only), and wear."""
        programs, size, erases = self._since(self._from)
        return {
            "programs": programs,
            "bytes": size,
            "erases": erases,
            "pays": [[e, p, count] for (e, p), count in self._pays.items()],
            "most_worn": max(self._wear),
            "least_worn": min(self._wear),
        }
