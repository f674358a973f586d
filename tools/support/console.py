# SPDX-License-Identifier: MIT
"""Talks to a terminal in safe mode over its serial console, as docs/support.md describes it."""

import base64
import binascii
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import serial

from tools import serial_port

_BAUD = 115200
_SILENCE_S = 10.0  # the terminal answers at once, or reads one flash page
_SECTOR, _PAGE = 4096, 256
_LARGEST = 8 << 20  # bytes of a journal


class ConsoleError(Exception):
    """The terminal does not answer, or what it sent is damaged."""


@dataclass
class Found:
    """What a terminal sent. `unreadable`: (sector, offset) of flash pages that could not be read."""

    info: dict[str, str] = field(default_factory=dict)
    journal: bytes = b""
    unreadable: list[tuple[int, int]] = field(default_factory=list)


def pull(port: str) -> Found:
    """Everything the terminal at a serial port sends. Raises ConsoleError."""
    line = serial.Serial(baudrate=_BAUD, timeout=_SILENCE_S)
    line.port, line.dtr, line.rts = port, False, False  # these lines would reset the chip
    try:
        line.open()
    except (OSError, ValueError) as error:  # SerialException is an OSError
        raise ConsoleError(serial_port.why(port, error)) from None
    try:
        with line:
            return _pull(line)
    except OSError as error:
        raise ConsoleError(f"{port}: {error}; check the cable and try again") from None


def _pull(line: serial.Serial) -> Found:
    found = Found(info={"pulled": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())})
    for name, value in _answer(line, "info"):
        found.info[name] = value
    pages: dict[tuple[int, int], bytes] = {}
    size, count = 0, -1
    for name, value in _answer(line, "journal"):
        if name == "page":
            pages.update([_page(value)])
        elif name == "unreadable":
            sector, offset = map(int, value.split())
            found.unreadable.append((sector, offset))
        elif name == "size":
            size = int(value)
        elif name == "end":
            count = int(value)
    if count != len(pages) or not 0 < size <= _LARGEST or size % _SECTOR:
        raise ConsoleError(f"the journal is incomplete: {len(pages)} pages of {count}")
    image = bytearray(b"\xff" * size)
    for (sector, offset), data in pages.items():
        at = sector * _SECTOR + offset
        if at + _PAGE > size:
            raise ConsoleError(f"a page lies outside the journal: sector {sector}")
        image[at : at + _PAGE] = data
    found.journal = bytes(image)
    return found


def _answer(line: serial.Serial, what: str) -> Iterator[tuple[str, str]]:
    """The name and value of each line of an answer, up to and with "end". Raises ConsoleError."""
    line.write(f"\nkassa {what}\n".encode())
    while True:
        raw = line.readline()
        if not raw.endswith(b"\n"):
            raise ConsoleError("no answer: is the terminal in safe mode? Hold C and E while you switch it on.")
        text = raw.decode("utf-8", "replace").strip()
        if not text.startswith("kassa: "):
            continue
        name, _, value = text[7:].partition(" ")
        yield name, value
        if name == "end":
            return


def _page(value: str) -> tuple[tuple[int, int], bytes]:
    """((sector, offset), 256 bytes). Raises ConsoleError if the line is damaged."""
    try:
        sector, offset, check, text = value.split()
        data = base64.b64decode(text, validate=True)
        if len(data) == _PAGE and zlib.crc32(data) == int(check, 16):
            return (int(sector), int(offset)), data
    except (ValueError, binascii.Error):
        pass
    raise ConsoleError("a page arrived damaged; try again")
