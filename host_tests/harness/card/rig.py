# SPDX-License-Identifier: MIT
"""The shipped PN532 driver under CPython: a bus with one virtual chip, on the shims' virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import ticks

ticks.install()

from kassa.card import tap  # noqa: E402  drivers need the ticks installed first
from kassa.card.arena import Arena  # noqa: E402
from kassa.card.tap_outcomes import Outcome  # noqa: E402
from kassa.card.terms import Terms  # noqa: E402
from kassa.drivers.pn532 import PN532 as Driver  # noqa: E402
from tools.world.pn532_link import PN532, SpiLink  # noqa: E402


class Bus:
    """`machine.SPI` as the driver uses it."""

    def __init__(self, link: SpiLink) -> None:
        self.link = link

    def write(self, data: bytes) -> None:
        self.link.tick(ticks.now_ms)
        self.link.transfer(bytes(data))

    def readinto(self, into: bytearray, write: int = 0) -> None:
        self.link.tick(ticks.now_ms)
        into[:] = self.link.transfer(bytes((write,)) * len(into))


class Rig:
    """`reader` is the driver, `chip` and `link` the virtual chip, `field` the field that cards are placed in."""

    def __init__(self) -> None:
        self.chip = PN532()
        self.field = self.chip.field
        self.link = SpiLink(self.chip)
        self.arena = Arena()
        self.reader = Driver(Bus(self.link), self._cs, self._irq)

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run a coroutine to completion."""
        return asyncio.run(work)

    def tap(self, timeout_ms: int = 1000, amount: int = 12345, terms: Terms | None = None) -> Outcome:
        """Start the reader and read the card in the field."""
        agreed = terms or Terms(amount, 156, 156, b"\x26\x11\x23", b"\xa1\xb2\xc3\xd4")

        async def work() -> Outcome:
            await self.reader.start()
            return await tap.read(self.reader, agreed, self.arena, timeout_ms)

        return self.run(work())

    def _cs(self, level: int) -> None:
        self.link.deselect() if level else self.link.select()

    def _irq(self) -> int:
        self.link.tick(ticks.now_ms)
        return self.link.level("irq")
