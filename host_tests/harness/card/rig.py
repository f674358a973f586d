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
from kassa.drivers import pn532_hsu, pn532_i2c, pn532_spi  # noqa: E402
from kassa.drivers.pn532 import PN532 as Driver  # noqa: E402
from tools.world.pn532_link import PN532, HsuLink, I2cLink, SpiLink  # noqa: E402

LINKS = ("spi", "spi polled", "i2c", "i2c polled", "hsu")


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


class I2c:
    """`machine.I2C` as the driver uses it."""

    def __init__(self, link: I2cLink) -> None:
        self.link = link

    def writeto(self, addr: int, buf: bytes) -> int:
        self.link.tick(ticks.now_ms)
        if addr != I2cLink.ADDRESS or not self.link.write(bytes(buf)):
            raise OSError(19)
        return len(buf)

    def readfrom_into(self, addr: int, buf: bytearray) -> None:
        self.link.tick(ticks.now_ms)
        data = self.link.read(len(buf)) if addr == I2cLink.ADDRESS else None
        if data is None:
            raise OSError(19)
        buf[:] = data


class Uart:
    """`machine.UART` as the driver uses it."""

    def __init__(self, link: HsuLink) -> None:
        self.link = link
        self._waiting = b""

    def any(self) -> int:
        self.link.tick(ticks.now_ms)
        self._waiting += self.link.send()
        return len(self._waiting)

    def write(self, data: bytes) -> int:
        self.link.tick(ticks.now_ms)
        self.link.receive(bytes(data))
        return len(data)

    def readinto(self, into: bytearray) -> int | None:
        count = min(self.any(), len(into))
        into[:count], self._waiting = self._waiting[:count], self._waiting[count:]
        return count or None


class Rig:
    """`reader` is the driver, `chip` and `link` the virtual chip, `field` the field that cards are placed in.

    `link`: one of LINKS. "polled" has no IRQ line.
    """

    def __init__(self, link: str = "spi") -> None:
        self.chip = PN532()
        self.field = self.chip.field
        self.arena = Arena()
        self.link: SpiLink | I2cLink | HsuLink
        if link == "hsu":
            self.link = HsuLink(self.chip)
            wire = pn532_hsu.HsuLink(Uart(self.link))
        elif link.startswith("i2c"):
            self.link = I2cLink(self.chip)
            wire = pn532_i2c.I2cLink(I2c(self.link))
        else:
            self.link = SpiLink(self.chip)
            wire = pn532_spi.SpiLink(Bus(self.link), self._cs)
        self.wire = wire
        self.reader = Driver(wire, self._irq if link in ("spi", "i2c") else None)

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
        assert isinstance(self.link, SpiLink)
        self.link.deselect() if level else self.link.select()

    def _irq(self) -> int:
        assert not isinstance(self.link, HsuLink)
        self.link.tick(ticks.now_ms)
        return self.link.level("irq")
