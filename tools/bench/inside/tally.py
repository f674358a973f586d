# SPDX-License-Identifier: MIT
"""What a store costs in flash, counted on the board's NOR model: per payment, and the worst one."""

import io

from flashchip import FlashChip, Region

CHIP = 1 << 20


class Tally:
    """A blank chip in memory with what was done to it since `start`, and the worst of what ran within `pay`."""

    def __init__(self, size: int = CHIP) -> None:
        self.chip = FlashChip(io.BytesIO(b"\xff" * size), size)
        self.flash = Region(self.chip, 0, size)
        self.start()

    def start(self) -> None:
        """Count from here."""
        self._from = self._now()
        self._pays = self._pay_programs = self._pay_erases = 0
        self._worst = (0, 0)  # erases, programs

    def pay(self, work) -> object:
        """Run `work()`: one payment, until it is durable."""
        before = self._now()
        result = work()
        programs, _, erases = self._since(before)
        self._pay_programs += programs
        self._pay_erases += erases
        self._pays += 1
        self._worst = max(self._worst, (erases, programs))
        return result

    def read(self) -> int:
        """Bytes read so far."""
        return self.chip.bytes_read

    def _now(self) -> tuple[int, int, int]:
        return self.chip.programs, self.chip.bytes_programmed, self.chip.erases

    def _since(self, before: tuple[int, int, int]) -> tuple[int, int, int]:
        programs, size, erases = self._now()
        return programs - before[0], size - before[1], erases - before[2]

    def told(self) -> dict:
        """Programs, bytes and erases: in all (pay and settle, work ahead too) and on the pay path alone."""
        programs, size, erases = self._since(self._from)
        return {
            "payments": self._pays,
            "programs": programs,
            "bytes": size,
            "erases": erases,
            "pay_programs": self._pay_programs,
            "pay_erases": self._pay_erases,
            "worst_erases": self._worst[0],
            "worst_programs": self._worst[1],
        }
