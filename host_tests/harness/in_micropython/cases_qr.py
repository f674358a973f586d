# SPDX-License-Identifier: MIT
"""Cases for the QR Code encoder."""

import asyncio
import gc

from kassa.screens import qr


def matrix(data):
    """[modules per side, rows of bits in hex]."""
    size, bits = asyncio.run(qr.matrix(bytes.fromhex(data)))
    return [size, bits.hex()]


def heap(data):
    """Heap bytes that one encoding allocates, garbage included."""
    raw = bytes.fromhex(data)
    gc.collect()
    gc.disable()
    before = gc.mem_alloc()
    asyncio.run(qr.matrix(raw))
    taken = gc.mem_alloc() - before
    gc.enable()
    return taken
