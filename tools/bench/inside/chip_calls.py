# SPDX-License-Identifier: MIT
"""For a main.py on the Unix board: counts the calls to its chips (`watch`), or makes as many again (`repeat`).

On a device pins, buses, flash and the wait of the event loop are C or hardware. Here they are Python, which is counted
along with the firmware's instructions; a run that only repeats the calls tells how much of them that is.
"""

import json
import select
import time

import bus
import esp32
import machine
import wiring

_calls = {}  # name -> [calls, bytes]; "waited" -> [0, ms]


def _wrap(owner: object, name: str, size) -> None:
    """Count the calls of a method or function; `size` gives the bytes of one from its arguments."""
    call, entry = getattr(owner, name), [0, 0]
    _calls[name] = entry

    def counted(*arguments):
        entry[0] += 1
        entry[1] += size(arguments)
        return call(*arguments)

    setattr(owner, name, counted)


def watch() -> None:
    """Count from now on. Whenever the event loop waits, a line "CALLS {json}" gives the counts so far."""
    flash = type(esp32.Partition("journal")).__bases__[0]
    for name, at in (("readblocks", 2), ("writeblocks", 2)):
        _wrap(flash, name, lambda arguments, at=at: len(arguments[at]))
    _wrap(machine.SPI, "write", lambda arguments: len(arguments[1]))
    _wrap(machine.SPI, "readinto", lambda arguments: len(arguments[1]))
    _wrap(machine.Pin, "value", lambda arguments: 0)
    _wrap(select.Poll, "ipoll", lambda arguments: 0)
    counted = select.Poll.ipoll

    def told(queue, due: int):
        if due:
            tell()
        return counted(queue, due)

    select.Poll.ipoll = told


def tell() -> None:
    """Print the counts so far."""
    _calls["waited"] = [0, time._ahead]
    print("CALLS", json.dumps(_calls))


def repeat(calls: dict) -> None:
    """Make the calls of `watch` again, each with the mean size. No chip is selected on the bus."""
    chip, spi, pin = esp32.Partition("journal"), machine.SPI(wiring.DISPLAY_SPI), machine.Pin(wiring.DISPLAY_LIGHT)
    poll = select.poll()
    pin.init(pin.OUT)
    for name, (count, size) in calls.items():
        mean = size // max(1, count)
        data = bytearray(mean + 31 & ~31 if name == "readblocks" else max(1, mean))
        for _ in range(count):
            if name == "readblocks":
                chip.readblocks(0, data, 0)
            elif name == "write":
                spi.write(data)
            elif name == "readinto":
                spi.readinto(data)
            elif name == "value":
                pin(1)
            elif name == "ipoll":
                poll.ipoll(0)
    bus.flush()
