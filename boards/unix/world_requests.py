# SPDX-License-Identifier: MIT
"""Requests that the world may make to this process while it is idle: a power cut, a leap in time, a heap report."""

import gc
import struct
import time

import bus
import esp32
import machine
import wiring


def carry_out(requests: int) -> None:
    """Carry out `requests`, the WANT_* bits of wiring.py."""
    if requests & wiring.WANT_CUT:
        _cut()
    if requests & wiring.WANT_LEAP:
        _leap()
    if requests & wiring.WANT_HEAP:
        _heap()


def _cut() -> None:
    reply = bytearray(32)
    bus.post(wiring.GET_CUT, 0)
    bus.answer(reply)
    operation, seed, size = struct.unpack_from(b"<IIB", reply)
    esp32.chip.cut_at(operation, str(reply[9 : 9 + size], "ascii"), seed)


def _leap() -> None:
    reply = bytearray(4)
    bus.post(wiring.GET_LEAP, 0)
    bus.answer(reply)
    ms = struct.unpack(b"<I", reply)[0]
    time.jump(ms)
    if machine.WDT.due >= 0:
        machine.WDT.due = time.ticks_add(machine.WDT.due, ms)


def _heap() -> None:
    used, free = gc.mem_alloc(), gc.mem_free()
    gc.collect()
    bus.post(wiring.HEAP, 0, struct.pack(b"<III", used, free, gc.mem_alloc()))
