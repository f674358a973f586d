# SPDX-License-Identifier: MIT
"""Sent first, to any MicroPython: who is this? Prints one line, `kassa: CRC-32 JSON`. Reads only."""

import binascii
import json
import sys


def answer(value) -> None:
    text = json.dumps(value)
    print("kassa: %08x %s" % (binascii.crc32(text.encode()) & 0xFFFFFFFF, text))


def facts() -> None:
    """{"machine", "mac", "firmware", "partitions": {label: [address, size]}}; what is missing is empty."""
    found = {"machine": getattr(sys.implementation, "_machine", ""), "mac": "", "firmware": "", "partitions": {}}
    try:
        import machine
        from esp32 import Partition

        found["mac"] = str(binascii.hexlify(machine.unique_id()), "ascii")
        for each in Partition.find(Partition.TYPE_DATA):
            kind, subtype, address, size, label, encrypted = each.info()
            found["partitions"][label] = (address, size)
    except (ImportError, AttributeError):
        pass  # not an ESP32
    try:
        from kassa import VERSION

        found["firmware"] = VERSION
    except ImportError:
        pass
    answer(found)


facts()
