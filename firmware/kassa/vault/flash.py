# SPDX-License-Identifier: MIT
"""Writes and erases a flash partition. When the chip refuses, raises FlashFault."""

from micropython import const

from kassa.errors import FlashFault

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes, Flash

_ERASE = const(6)  # ioctl operations of a MicroPython block device
_BLOCKS = const(4)


def blocks(flash: "Flash") -> int:
    """The number of 4096-byte blocks in the partition."""
    return flash.ioctl(_BLOCKS, 0)


def program(flash: "Flash", block: int, data: "Bytes", offset: int) -> None:
    """Program erased bytes at `offset` in a block. Raises FlashFault when the chip refuses."""
    try:
        flash.writeblocks(block, data, offset)
    except OSError:
        raise FlashFault("flash write")


def erase(flash: "Flash", block: int) -> None:
    """Erase one block. The caller verifies that it is blank. Raises FlashFault when the chip refuses."""
    try:
        flash.ioctl(_ERASE, block)
    except OSError:
        raise FlashFault("flash erase")
