# SPDX-License-Identifier: MIT
"""Flash chips for the cases: the board's NOR model on an image file, held in memory while a case runs; and a clock.

This adds what the board's model lacks: cells half programmed by a power cut, which read differently each time, and
sectors that are bad or wear out.
"""

import io
import sys

_BOARD = "boards/unix"

sys.path.append(_BOARD)  # last, and for this import only: the board shadows modules such as `time`
from flashchip import SECTOR, FlashChip, FlashMisuse, PowerCut, Region  # noqa: E402  PowerCut is for the cases

sys.path.remove(_BOARD)

PowerCut = PowerCut


class WornChip(FlashChip):
    """`faults`: sector -> "program" or "erase" (raises), "silent" (does nothing), "stuck" (some bits stay 0 or 1),
    "stuck:offset:mask:value" (these bits of one byte always read `value`, 0 or 1).

    `endurance`: erases before a sector becomes "erase"; 0 = unlimited. `wear`: erases so far. `unstable`: [address,
    before, after] of half-programmed cells: each read shows one, the other, or some bits of each.
    """

    def __init__(self, store, size, faults=None, endurance=0, unstable=(), seed=1, wear=()):
        super().__init__(store, size)
        self.faults = faults or {}
        self.endurance = endurance
        self.wear = dict(wear)
        self.unstable = [(at, bytes.fromhex(old), bytes.fromhex(new)) for at, old, new in unstable]
        self._dice = seed * 2654435761 & 0x7FFFFFFF | 1
        self._wavers = False

    def waver_at(self, operation, seed):
        """Like `cut_at`, but leaves the cells of that operation unstable."""
        self.cut_at(operation, "none", seed)
        self._wavers = True

    def _roll(self):
        self._dice = (self._dice * 1103515245 + 12345) & 0x7FFFFFFF
        return self._dice >> 16 & 0xFF

    def read(self, address, into):
        super().read(address, into)
        self._stick(address, into)
        for at, old, new in self.unstable:
            first, end = max(at, address), min(at + len(old), address + len(into))
            how = self._roll() % 3
            for index in range(first, end):
                mask = (0, 0xFF, self._roll())[how]
                into[index - address] = old[index - at] & ~mask & 0xFF | new[index - at] & mask

    def _stick(self, address, into):
        """Apply stuck bits to what was read."""
        for sector, fault in self.faults.items():
            if fault.startswith("stuck:"):
                offset, mask, value = [int(one) for one in fault[6:].split(":")]
                at = sector * SECTOR + offset - address
                if 0 <= at < len(into):
                    into[at] = into[at] | mask if value else into[at] & ~mask

    def _program_page(self, address, data, offset, count):
        for cells in self.unstable:
            at, old, new = cells
            if at < address + count and address < at + len(old):
                if at != address or new != bytes(data[offset : offset + count]):
                    raise FlashMisuse("programmed cells that a power cut may have left half written: 0x%x" % address)
                self.unstable.remove(cells)  # programming the same data again makes them stable
                break
        fault = self.faults.get(address // SECTOR)
        if fault == "program":
            raise OSError(5)
        if fault == "silent":
            return
        super()._program_page(address, data, offset, count)
        if fault == "stuck":
            self._store.seek(address + 5)
            self._store.write(b"\x00" if data[offset + 5] else b"\xff")

    def erase(self, address):
        sector = address // SECTOR
        if self.faults.get(sector) == "erase":
            raise OSError(5)
        if self.faults.get(sector) == "silent":
            return
        if self.endurance and self.wear.get(sector, 0) >= self.endurance:
            self.faults[sector] = "erase"
            raise OSError(5)
        super().erase(address)
        self.wear[sector] = self.wear.get(sector, 0) + 1
        self.unstable = [cells for cells in self.unstable if cells[0] // SECTOR != sector]
        if self.faults.get(sector) == "stuck":
            self._store.seek(address + 77)
            self._store.write(b"\xf7")

    def _die(self, address, data, offset, count):
        if self._wavers:
            old = bytearray(count)
            self._store.seek(address)
            self._store.readinto(old)
            new = b"\xff" * count if data is None else bytes(data[offset : offset + count])
            self.unstable.append((address, bytes(old), new))
        super()._die(address, data, offset, count)


class Chip:
    """One life of a chip: reads its image file; `save` writes it back.

    `cut`: the operation at which power is cut, 0 = never. `tear`: as in FlashChip.cut_at, or "unstable". `weak`:
    addresses of bytes that do not keep what is programmed. `faults`, `endurance`, `unstable`, `wear`: see WornChip.
    """

    def __init__(self, path, cut=0, tear="none", seed=1, weak=(), faults=None, endurance=0, unstable=(), wear=()):
        with open(path, "rb") as image:
            data = image.read()
        self.path = path
        self.size = len(data)
        self.store = io.BytesIO(data)
        self.chip = WornChip(self.store, self.size, faults, endurance, unstable, seed, wear)
        if tear == "unstable":
            self.chip.waver_at(cut, seed)
        else:
            self.chip.cut_at(cut, tear, seed)
        self.chip.listener = self._did
        self.log = []  # bytes of each operation, 0 for an erase
        self.erased = []  # sectors, in order
        self.programmed = []  # addresses, in order
        self.weak = weak

    def region(self, base=0, size=0):
        """A partition; the whole chip by default."""
        return Region(self.chip, base, size or self.size)

    def _did(self, is_erase, address, size):
        self.log.append(0 if is_erase else size)
        if is_erase:
            self.erased.append(address // size)
        else:
            self.programmed.append(address)
        for weak in self.weak:
            if address <= weak < address + size:
                self.store.seek(weak)
                self.store.write(b"\x00")

    def operations(self):
        """Number of programs and erases so far."""
        return self.chip.programs + self.chip.erases

    def unstable(self):
        """The unstable cells, to pass to the next life."""
        return [[at, old.hex(), new.hex()] for at, old, new in self.chip.unstable]

    def save(self):
        """Write the image back to its file."""
        with open(self.path, "wb") as image:
            image.write(self.store.getvalue())


class Clock:
    """Wall-clock time as set by the test."""

    def __init__(self, at, trusted):
        self.at, self.east = at, 0
        self.trusted = trusted

    def now(self):
        return self.at

    def trust(self, at, east):
        self.at, self.east = at, east
        self.trusted = True
