# SPDX-License-Identifier: MIT
"""The reader's links: what each needs of the driver, and a card read over each of them on the Unix board."""

from __future__ import annotations

import pytest
import ticks

from host_tests.harness.card.rig import LINKS, Rig
from kassa.errors import ReaderFault
from tools.cards.catalogue import make
from tools.world.pn532_link import PN532, HsuLink, I2cLink, frame

ACK = bytes.fromhex("0000ff00ff00")
VERSION = frame(bytes.fromhex("d50332010607"))
ONLINE = 1

READ = """
import asyncio
from board import Board
from kassa.drivers.pn532 import PN532
from machine import I2C, UART, Pin
import wiring
{}
async def main():
    await reader.start()
    print("found", await reader.find(500))
    into = bytearray(258)
    size = await reader.exchange(memoryview(b"\\x00\\xa4\\x04\\x00\\x0e2PAY.SYS.DDF01\\x00"), into)
    print("answer", size, into[:1].hex(), into[size - 2 : size].hex())
asyncio.run(main())
"""
I2C = "from kassa.drivers.pn532_i2c import I2cLink\nlink = I2cLink(I2C(wiring.READER_I2C))\n"
WIRES = {
    "spi": "reader = Board().reader",
    "i2c": I2C + "reader = PN532(link, Pin(wiring.READER_IRQ, Pin.IN, Pin.PULL_UP))",
    "i2c polled": I2C + "reader = PN532(link)",
    "hsu": "from kassa.drivers.pn532_hsu import HsuLink\n"
    "reader = PN532(HsuLink(UART(wiring.READER_UART, 115200, rxbuf=512)))",
}


@pytest.mark.parametrize("link", WIRES)
def test_a_card_answers_over_every_link_on_the_board(new_world, link: str) -> None:
    world = new_world(READ.format(WIRES[link]))
    if link != "spi":
        world.chips.move_reader(link.split()[0])
    world.place(make("jade"))
    world.power_on()
    world.wait_off()
    assert "found 1\n" in world.console, world.console
    assert " 6f 9000\n" in world.console, world.console


@pytest.mark.parametrize("link", LINKS)
def test_a_reader_that_lost_power_is_woken_and_set_up_again(link: str) -> None:
    rig = Rig(link)
    rig.field.place(make("jade"))
    assert rig.tap().kind == ONLINE
    rig.chip.power_on()  # asleep again, settings lost
    assert rig.chip.asleep
    rig.run(rig.reader.check())
    assert rig.reader.works and not rig.chip.asleep


@pytest.mark.parametrize("link", LINKS)
def test_a_late_acknowledgement_is_awaited(link: str) -> None:
    """Up to 15 ms by the manual; cheap modules were seen to take longer."""
    rig = Rig(link)
    rig.run(rig.reader.start())
    waiting, since = rig.link._port.waiting, ticks.now_ms
    rig.link._port.waiting = lambda: waiting() if ticks.now_ms - since >= 30 else b""  # type: ignore[method-assign]
    rig.run(rig.reader.off())
    assert rig.reader.works and 30 <= ticks.now_ms - since < 100


@pytest.mark.parametrize("link", LINKS)
def test_no_chip_at_all_is_a_fault_within_a_second(link: str) -> None:
    rig = Rig(link)
    if link.startswith("i2c"):
        rig.link.read, rig.link.write = lambda size: None, lambda data: False  # type: ignore[union-attr,method-assign]
    else:
        rig.link.faults.silent = True
    begin = ticks.now_ms
    with pytest.raises(ReaderFault):
        rig.run(rig.reader.start())
    assert ticks.now_ms - begin < 1000


# --- the I2C chip -----------------------------------------------------------------------------------------------------


def awake() -> I2cLink:
    link = I2cLink(PN532())
    assert not link.write(b"\x00")
    return link


def test_the_i2c_chip_wakes_on_its_address_and_misses_that_transfer() -> None:
    link = I2cLink(PN532())
    assert link.read(1) is None
    assert link.write(frame(b"\xd4\x02"))
    assert link.read(7) == b"\x01" + ACK


def test_every_i2c_read_starts_with_a_status_byte() -> None:
    link = awake()
    assert link.read(7) == b"\x00" + b"\xff" * 6  # nothing to read
    link.write(frame(b"\xd4\x02"))
    assert link.read(1) == b"\x01"  # the status alone takes nothing
    assert link.read(7) == b"\x01" + ACK
    assert link.read(5) == (b"\x01" + VERSION)[:5]  # cut short: the frame is sent again from its beginning
    assert link.read(20) == (b"\x01" + VERSION).ljust(20, b"\x00")
    assert link.read(1) == b"\x00"


def test_the_i2c_chip_does_not_acknowledge_its_address_right_after_a_frame() -> None:
    link = awake()
    link.tick(100)
    link.write(frame(b"\xd4\x14\x01\x00\x01"))
    assert link.read(1) is None and link.level("irq") == 1 and not link.write(ACK)
    link.tick(101)
    assert link.level("irq") == 0 and link.read(1) == b"\x01"


# --- the serial chip --------------------------------------------------------------------------------------------------


def test_the_serial_chip_sends_at_the_speed_of_the_line() -> None:
    link = HsuLink(PN532())
    link.tick(100)
    link.receive(b"\x55\x55" + bytes(14) + frame(b"\xd4\x02"))
    came = link.send()
    assert came == b""
    for now in range(101, 110):
        link.tick(now)
        piece = link.send()
        assert len(piece) <= 11
        came += piece
    assert came == ACK + VERSION


def test_noise_before_an_acknowledgement_is_skipped() -> None:
    rig = Rig("hsu")
    rig.run(rig.reader.start())
    send, noise = rig.link.send, [b"\xfe\x13\x37"]  # type: ignore[union-attr]

    def noisy() -> bytes:
        came = send()
        return noise.pop() + came if came and noise else came

    rig.link.send = noisy  # type: ignore[union-attr,method-assign]
    begin = ticks.now_ms
    rig.run(rig.reader.off())
    assert rig.reader.works and not noise and ticks.now_ms - begin < 50
