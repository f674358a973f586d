# SPDX-License-Identifier: MIT
"""Reads an official MicroPython image: which chip it is for, its bootloader and its program.

The image holds everything from the bootloader on: bootloader, the stock partition table, filler, program. Written whole, it
would blank NVS, where the device secret is; so only bootloader and program are taken. App image format: esptool
documentation, Firmware Image Format.
"""

import hashlib
from dataclasses import dataclass

from tools.hardware.chips import CHIPS, Chip
from tools.hardware.partitions import TABLE_AT, TableError, unpack

PROGRAM_AT = 0x10000
_MAGIC = 0xE9
_HEADER, _SEGMENT, _DIGEST = 24, 8, 32


class OfficialError(Exception):
    """Not an official image for this chip, or a damaged one."""


@dataclass(frozen=True)
class Official:
    """The parts of an image, as they are written."""

    bootloader: bytes
    program: bytes


def read(image: bytes, chip: Chip) -> Official:
    """Take an image apart. Raises OfficialError if it is for another chip, damaged, or not a whole image."""
    if len(image) < _HEADER or image[0] != _MAGIC:
        raise OfficialError("this is not a MicroPython image for an ESP32: it does not begin with E9")
    number = int.from_bytes(image[12:14], "little")
    if number != chip.image_id:
        name = next((known.name for known in CHIPS.values() if known.image_id == number), f"chip {number}")
        raise OfficialError(f"this image is for {name}, but the board has an {chip.name}: download that chip's image")
    table = image[TABLE_AT - chip.bootloader : PROGRAM_AT - chip.bootloader]
    try:
        unpack(table)
    except TableError:
        raise OfficialError(
            "this is not a whole image: it has no partition table; take the .bin, not the .app-bin"
        ) from None
    program = image[PROGRAM_AT - chip.bootloader :]
    return Official(_whole(image[: TABLE_AT - chip.bootloader], "bootloader"), _whole(program, "program"))


def _whole(image: bytes, name: str) -> bytes:
    """An app image without what follows it. Raises OfficialError if it is cut short or its SHA-256 does not match."""
    cut = OfficialError(f"the {name} of this image was cut short")
    if len(image) < _HEADER or image[0] != _MAGIC:
        raise cut
    at = _HEADER
    for _ in range(image[1]):
        at += _SEGMENT + int.from_bytes(image[at + 4 : at + 8], "little")
    at = (at | 15) + 1  # the checksum is the last byte of a block of 16
    if not image[23]:
        raise OfficialError(f"the {name} of this image has no SHA-256")
    if len(image) < at + _DIGEST:
        raise cut
    if hashlib.sha256(image[:at]).digest() != image[at : at + _DIGEST]:
        raise OfficialError(f"the {name} of this image is damaged: its SHA-256 does not match")
    return image[: at + _DIGEST]
