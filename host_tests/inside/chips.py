# SPDX-License-Identifier: MIT
"""Flash chips for the cases: the board's NOR model over an image in a file, in memory while a case runs."""

import io
import sys

_BOARD = "boards/unix"

sys.path.append(_BOARD)  # last and only for this import: the board shadows modules such as `time`
from flashchip import FlashChip, PowerCut, Region  # noqa: E402, F401  PowerCut is for the cases

sys.path.remove(_BOARD)


class Chip:
    """One life of a chip: reads its image file, and `save`s it at the end.

    `cut`: the operation at which power dies, 0 = never. `weak`: addresses of bytes that do not hold what is programmed.
    """

    def __init__(self, path, cut=0, tear="none", seed=1, weak=()):
        with open(path, "rb") as image:
            data = image.read()
        self.path = path
        self.size = len(data)
        self.store = io.BytesIO(data)
        self.chip = FlashChip(self.store, self.size)
        self.chip.cut_at(cut, tear, seed)
        self.chip.listener = self._did
        self.erased = []  # sectors, in the order erased
        self.weak = weak

    def region(self, base=0, size=0):
        """A partition of it; the whole chip by default."""
        return Region(self.chip, base, size or self.size)

    def _did(self, is_erase, address, size):
        if is_erase:
            self.erased.append(address // size)
        for weak in self.weak:
            if address <= weak < address + size:
                self.store.seek(weak)
                self.store.write(b"\x00")

    def operations(self):
        """Programs and erases so far."""
        return self.chip.programs + self.chip.erases

    def save(self):
        """Write the image back."""
        with open(self.path, "wb") as image:
            image.write(self.store.getvalue())
