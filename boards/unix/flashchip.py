# SPDX-License-Identifier: MIT
"""A NOR flash chip in a file, whose power can fail inside any program or erase.

It imports nothing of the board, so that benches and tests can use it alone. No call allocates on the heap.
"""

from micropython import const

PAGE = const(256)  # most bytes per program operation
SECTOR = const(4096)  # bytes per erase operation
CELL = const(16)  # bytes that flash encryption writes at once; offsets and sizes are multiples of it

_INVALID_ARG = -0x102  # ESP_ERR_INVALID_ARG
_INVALID_SIZE = -0x104  # ESP_ERR_INVALID_SIZE


class PowerCut(BaseException):
    """The power is gone. A BaseException, so that no handler of the firmware runs without power."""


class FlashMisuse(BaseException):
    """The caller requested something the chip cannot do. A BaseException, so that no handler hides it."""


def open_store(path: str, size: int):
    """Open the file at `path` as the chip's memory. A missing file is created blank (all 0xFF)."""
    try:
        return open(path, "r+b")
    except OSError:
        with open(path, "wb") as blank:
            for _ in range(0, size, SECTOR):
                blank.write(b"\xff" * SECTOR)
        return open(path, "r+b")


class FlashChip:
    """A chip of `size` bytes in `store`, any seekable stream: a file, or io.BytesIO for a chip in memory.

    Bits only change from 1 to 0 until their sector is erased. As under flash encryption, a 16-byte cell can be
    programmed only once between two erases. Writes across page boundaries are split into page programs, each counted.
    All sizes are in bytes.
    """

    def __init__(self, store, size: int) -> None:
        self.size = size
        self.programs = 0
        self.erases = 0
        self.reads = 0
        self.bytes_programmed = 0
        self.bytes_read = 0
        self.listener = None  # called as listener(is_erase, address, size) after each operation
        self.on_cut = None  # called when the power fails, before PowerCut is raised
        self._store = store
        self._page = bytearray(PAGE)
        self._blank = b"\xff" * PAGE
        self._left = 0  # operations until the power fails; 0 = never
        self._tear = ""
        self._noise = 1
        self._dead = False

    def cut_at(self, operation: int, tear: str = "none", seed: int = 1) -> None:
        """Cut the power inside the `operation`-th program or erase from now (1 = the next one; 0 = never).

        `tear` says how much of that operation is done: "none", "prefix:N" its first N bytes, "half" its first half,
        "random" each bit changed or not at random, seeded with `seed`, "all" everything, but without a report of
        success. Raises ValueError for another `tear`.
        """
        if tear not in ("none", "half", "random", "all") and not tear.startswith("prefix:"):
            raise ValueError(tear)
        self._left = operation
        self._tear = tear
        self._noise = seed

    def read(self, address: int, into: bytearray) -> None:
        """Fill `into` from `address`."""
        size = len(into)
        self._check(address, size, CELL)
        self._store.seek(address)
        self._store.readinto(into)
        self.reads += 1
        self.bytes_read += size

    def program(self, address: int, data) -> None:
        """Program `data` at `address`, page by page."""
        size = len(data)
        self._check(address, size, CELL)
        done = 0
        while done < size:
            count = PAGE - (address + done) % PAGE
            if count > size - done:
                count = size - done
            self._program_page(address + done, data, done, count)
            done += count

    def erase(self, address: int) -> None:
        """Set the sector at `address` to 0xFF."""
        self._check(address, SECTOR, SECTOR)
        if self._dies():
            self._die(address, None, 0, SECTOR)
        self._store.seek(address)
        for _ in range(SECTOR // PAGE):
            self._store.write(self._blank)
        self.erases += 1
        if self.listener:
            self.listener(True, address, SECTOR)

    def _check(self, address: int, size: int, unit: int) -> None:
        if self._dead:
            raise PowerCut
        if address % unit or size % unit or address < 0 or address + size > self.size:
            raise FlashMisuse("flash: not aligned or out of range: %d bytes at 0x%x" % (size, address))

    def _program_page(self, address: int, data, offset: int, count: int) -> None:
        self._store.seek(address)
        self._store.readinto(self._page, count)
        if count != PAGE or self._page != self._blank:
            self._check_cells(address, data, offset, count)
        if self._dies():
            self._die(address, data, offset, count)
        self._store.seek(address)
        self._store.write(data, offset, count)
        self.programs += 1
        self.bytes_programmed += count
        if self.listener:
            self.listener(False, address, count)

    def _check_cells(self, address: int, data, offset: int, count: int) -> None:
        """Raise FlashMisuse unless each cell of the page is blank or already holds the new data."""
        page = self._page
        blank = same = True
        for i in range(count):
            if i % CELL == 0:
                blank = same = True
            old = page[i]
            if old != 0xFF:
                blank = False
            if old != data[offset + i]:
                same = False
            if not blank and not same:
                raise FlashMisuse("flash: programmed twice without an erase: 0x%x" % (address + i))

    def _dies(self) -> bool:
        if not self._left:
            return False
        self._left -= 1
        return self._left == 0

    def _die(self, address: int, data, offset: int, count: int) -> None:
        """Apply the tear to a program (or, without `data`, to an erase), then lose power."""
        whole = self._bytes_done(count)
        for start in range(0, count, PAGE):
            size = min(PAGE, count - start)
            self._store.seek(address + start)
            self._store.readinto(self._page, size)
            for i in range(size):
                target = 0xFF if data is None else data[offset + start + i]
                if start + i < whole:
                    self._page[i] = target
                elif self._tear == "random":
                    mask = self._toss()
                    self._page[i] = self._page[i] & ~mask | target & mask
            self._store.seek(address + start)
            self._store.write(self._page, size)
        self._dead = True
        if self.on_cut:
            self.on_cut()
        raise PowerCut

    def _bytes_done(self, count: int) -> int:
        if self._tear == "all":
            return count
        if self._tear == "half":
            return count // 2
        if self._tear.startswith("prefix:"):
            return int(self._tear[7:])
        return 0

    def _toss(self) -> int:
        self._noise = (self._noise * 1103515245 + 12345) & 0x7FFFFFFF
        return (self._noise >> 16) & 0xFF


class Region:
    """A range of the chip as a block device of 4 KiB blocks, with the interface of `esp32.Partition`."""

    def __init__(self, chip: FlashChip, base: int, size: int) -> None:
        self.chip = chip
        self.base = base
        self.size = size

    def readblocks(self, block: int, into: bytearray, offset: int = 0) -> None:
        """Fill `into`, starting `offset` bytes into the block. Raises OSError if out of range."""
        self.chip.read(self._address(block, offset, len(into)), into)

    def writeblocks(self, block: int, data, offset: int = -1) -> None:
        """Program `data`. Without `offset`, erase the blocks it covers first. Raises OSError if out of range."""
        erase_first = offset < 0
        size = len(data)
        address = self._address(block, 0 if erase_first else offset, size)
        if erase_first:
            if size % SECTOR:
                raise OSError(_INVALID_SIZE)
            for sector in range(address, address + size, SECTOR):
                self.chip.erase(sector)
        self.chip.program(address, data)

    def ioctl(self, command: int, block: int) -> int | None:
        """4 = number of blocks, 5 = block size, 6 = erase one block; init, deinit and sync (1 to 3) do nothing."""
        if command == 4:
            return self.size // SECTOR
        if command == 5:
            return SECTOR
        if command == 6:
            self.chip.erase(self._address(block, 0, SECTOR))
        return 0 if 1 <= command <= 6 else None

    def _address(self, block: int, offset: int, size: int) -> int:
        start = block * SECTOR + offset
        if start < 0 or start + size > self.size:
            raise OSError(_INVALID_ARG)
        return self.base + start
