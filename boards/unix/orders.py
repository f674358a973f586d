# SPDX-License-Identifier: MIT
"""Orders that the world may give to this process while it is idle: a power cut, a leap in time, a heap report."""

import gc
import struct
import time

import bus
import esp32
import machine
import wiring


def obey(orders: int) -> None:
    """Carry out the orders in `orders`, the WANT_* bits of wiring.py."""
    if orders & wiring.WANT_CUT:
        _cut()
    if orders & wiring.WANT_LEAP:
        _leap()
    if orders & wiring.WANT_HEAP:
        _heap()


def _cut() -> None:
    order = bytearray(32)
    bus.post(wiring.ORDER_CUT, 0)
    bus.answer(order)
    operation, seed, size = struct.unpack_from("<IIB", order)
    esp32.chip.cut_at(operation, str(order[9 : 9 + size], "ascii"), seed)


def _leap() -> None:
    reply = bytearray(4)
    bus.post(wiring.ORDER_LEAP, 0)
    bus.answer(reply)
    ms = struct.unpack("<I", reply)[0]
    time.jump(ms)
    if machine.WDT.due >= 0:
        machine.WDT.due = time.ticks_add(machine.WDT.due, ms)


def _heap() -> None:
    used, free = gc.mem_alloc(), gc.mem_free()
    gc.collect()
    bus.post(wiring.HEAP, 0, struct.pack("<III", used, free, gc.mem_alloc()))
