# SPDX-License-Identifier: MIT
"""A flash in plain memory, so that only the store's own work is counted."""


class Memory:
    """Blocks of 4096 B in RAM. Whole pages are copied without allocation, which would be counted too."""

    def __init__(self, blocks: int) -> None:
        self._data = memoryview(bytearray(b"\xff" * (4096 * blocks)))
        self._pages = [self._data[at : at + 256] for at in range(0, 4096 * blocks, 256)]

    def _part(self, block: int, offset: int, size: int) -> memoryview:
        at = 4096 * block + offset
        return self._pages[at >> 8] if size == 256 else self._data[at : at + size]

    def readblocks(self, block: int, into: bytearray, offset: int = 0) -> None:
        into[:] = self._part(block, offset, len(into))

    def writeblocks(self, block: int, data: bytearray, offset: int = 0) -> None:
        self._part(block, offset, len(data))[:] = data

    def ioctl(self, command: int, block: int) -> int:
        if command == 6:
            self._data[4096 * block : 4096 * block + 4096] = b"\xff" * 4096
        return len(self._data) // 4096
