# SPDX-License-Identifier: MIT
"""Writing to a flash partition, with the chip's refusals as our own error."""

from micropython import const

from kassa.errors import FlashFault

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Bytes, Flash

_ERASE = const(6)  # ioctl operations of a MicroPython block device
_BLOCKS = const(4)


def blocks(flash: "Flash") -> int:
    """How many blocks of 4096 bytes the partition has."""
    return flash.ioctl(_BLOCKS, 0)


def program(flash: "Flash", block: int, data: "Bytes", offset: int) -> None:
    """Write into erased bytes. Raises FlashFault when the chip refuses."""
    try:
        flash.writeblocks(block, data, offset)
    except OSError:
        raise FlashFault("flash write")


def erase(flash: "Flash", block: int) -> None:
    """Erase one block; whether it took, the caller reads back. Raises FlashFault when the chip refuses."""
    try:
        flash.ioctl(_ERASE, block)
    except OSError:
        raise FlashFault("flash erase")
