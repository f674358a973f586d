# SPDX-License-Identifier: MIT
"""A keyring partition on a chip with bad sectors, built on the board's flash model."""

from chips import Chip, FlashChip, Region

_SECTOR = 4096
_ERASE = 6
_EIO = 5


class _Worn(FlashChip):
    """Also accepts programming zeros over used cells, since bits only go from 1 to 0."""

    def _check_cells(self, address, data, offset, count):
        if any(data[offset : offset + count]):
            super()._check_cells(address, data, offset, count)


class _BadSectors(Region):
    """A region whose programs and erases can fail. `faults`: [sector, kind], see FaultyChip."""

    def __init__(self, chip, base, size, faults):
        super().__init__(chip, base, size)
        self._kinds = {}
        for sector, kind in faults:
            self._kinds.setdefault(sector, []).append(kind)

    def writeblocks(self, block, data, offset=-1):
        kinds = self._kinds.get(block, ())
        if "program error" in kinds:
            raise OSError(_EIO)
        if "half program" in kinds:
            super().writeblocks(block, memoryview(data)[: len(data) // 32 * 16], offset)
            raise OSError(_EIO)
        if "no program" not in kinds:
            super().writeblocks(block, data, offset)

    def ioctl(self, command, block):
        if command == _ERASE:
            kinds = self._kinds.get(block, ())
            if "erase error" in kinds:
                raise OSError(_EIO)
            if "no erase" in kinds:
                return 0
        return super().ioctl(command, block)


class FaultyChip(Chip):
    """One life of a chip with bad sectors.

    Kinds: "program error" and "erase error" raise OSError and do nothing; "half program" programs half, then raises; "no
    program" and "no erase" silently do nothing; "stuck:offset:mask:value" is a byte whose masked bits always read `value`
    (0 or 1).
    """

    def __init__(self, path, cut=0, tear="none", seed=1, faults=()):
        super().__init__(path)
        self.chip = _Worn(self.store, self.size)
        self.chip.cut_at(cut, tear, seed)
        self.chip.listener = self._did
        self._faults = [fault for fault in faults if not fault[1].startswith("stuck")]
        self._stuck = []
        for sector, kind in faults:
            if kind.startswith("stuck"):
                _, offset, mask, value = kind.split(":")
                self._stuck.append((sector * _SECTOR + int(offset), int(mask), int(value)))
        self._stick(0, self.size)

    def region(self, base=0, size=0):
        return _BadSectors(self.chip, base, size or self.size, self._faults)

    def _did(self, is_erase, address, size):
        super()._did(is_erase, address, size)
        self._stick(address, size)

    def _stick(self, address, size):
        for at, mask, value in self._stuck:
            if address <= at < address + size:
                self.store.seek(at)
                byte = self.store.read(1)[0]
                self.store.seek(at)
                self.store.write(bytes([byte | mask if value else byte & ~mask]))
