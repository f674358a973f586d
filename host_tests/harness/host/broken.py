# SPDX-License-Identifier: MIT
"""The journal of a terminal that cannot send it, as an image: a second implementation of docs/journal.md."""

import struct
from collections.abc import Sequence

from host_tests.harness.host.terminal import Record

DEFERRED, YES, REVERSING = 0x67, 0x61, 0x65
_TAG = b"\x5a" * 8  # of the device; the host cannot check it


def journal(*records: Record | bytes, marks: Sequence[tuple[int, int]] = (), sectors: int = 4) -> bytes:
    """An image of one or more sectors, 15 records each. `marks`: (kind, sequence), in the first sector, at most 6."""
    pages = [one if isinstance(one, bytes) else one.raw for one in records]
    image = bytearray()
    for serial in range(1, max(sectors, (len(pages) + 14) // 15) + 1):
        mine = pages[(serial - 1) * 15 : serial * 15]
        if not mine:
            image += b"\xff" * 4096
            continue
        head = struct.pack(">2sBBIIHHIIIB", b"KJ", 3, 0, serial, (serial - 1) * 15 + 1, 1, 0, 0, 0, 0, 0)
        first = (head + bytes(3) + struct.pack(">I", 0)).ljust(40, b"\0")[:40] + _TAG
        for number, (kind, about) in enumerate(marks if serial == 1 else (), 1):
            cell = struct.pack(">BB2sIHHHIB", kind, number << 2, b"\0\0", about, serial, about, 0, 0, 0)
            first += cell.ljust(24, b"\0") + _TAG
        image += first.ljust(256, b"\xff")
        image += b"".join(page + _TAG for page in mine).ljust(15 * 256, b"\xff")
    return bytes(image)
