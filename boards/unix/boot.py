# SPDX-License-Identifier: MIT
"""Runs before main.py: reports every flash operation to the world, and carries out the world's requests."""

import struct
import sys
import time

import bus
import chip_tls
import esp32
import machine
import wiring
import world_requests
from bus import flush

_operation = bytearray(6)


def _flash_done(is_erase: bool, address: int, size: int) -> None:
    struct.pack_into(b"<IH", _operation, 0, address, size)
    bus.post(wiring.FLASH, 1 if is_erase else 0, _operation)


def _flash_cut() -> None:
    bus.post(wiring.POWER_LOST, 0)
    bus.answer(bytearray(1))


# The event loop's queue (in C) compares the port's own ticks, so asyncio keeps those. The firmware uses the chip's.
if time.WIDE:
    from asyncio import core

    import utime

    core.ticks, core.ticks_add, core.ticks_diff = time.wide_ms, utime.ticks_add, utime.ticks_diff
sys.modules["tls"] = chip_tls
esp32.chip.listener = _flash_done
esp32.chip.on_cut = _flash_cut
world_requests.carry_out(machine.mode & ~wiring.MAY_JUMP)
