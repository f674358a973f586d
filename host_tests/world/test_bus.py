# SPDX-License-Identifier: MIT
"""The bus carries bytes and pin levels unchanged in both directions, in the bit order of each chip."""

from boards.unix import wiring


class Echo:
    """An SPI chip that answers each byte with the previous byte and records what it received."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.selections = 0
        self.lights: list[int] = []
        self._last = 0

    def select(self) -> None:
        self.selections += 1

    def deselect(self) -> None:
        pass

    def pin(self, name: str, level: int) -> None:
        self.lights.append(level)

    def transfer(self, out: bytes) -> bytes:
        self.received += out
        back = bytes((self._last,)) + out[:-1]
        self._last = out[-1]
        return back


class Peer:
    """A UART peer that answers in upper case."""

    def __init__(self) -> None:
        self._waiting = b""

    def receive(self, data: bytes) -> None:
        self._waiting += data.upper()

    def send(self) -> bytes:
        waiting, self._waiting = self._waiting, b""
        return waiting


def test_spi_carries_transfers_of_every_size_both_ways(new_world) -> None:
    world = new_world("""
        import machine, struct
        spi = machine.SPI(3, 1000000)
        select = machine.Pin(50, machine.Pin.OUT, value=1)
        spi.write(b"nobody listens")
        for size in (1, 8, 9, 255, 1015, 1016, 1017, 1024, 40000, 70000):
            out = bytes(i * 7 & 255 for i in range(size))
            select(0)
            spi.write(out)
            if size <= 65535:
                back = bytearray(size)
                spi.write_readinto(out, back)
                print(size, back[0] == out[-1] and back[1:] == out[:-1])
            select(1)
        select(0)
        print(spi.read(3, 0x5A))
        select(1)
    """)
    chip = Echo()
    world.board.lines.attach_spi(3, 50, chip)
    world.power_on()
    world.wait_off()
    sizes = (1, 8, 9, 255, 1015, 1016, 1017, 1024, 40000, 70000)
    expected = bytearray()
    for size in sizes:
        piece = bytes(i * 7 & 255 for i in range(size))
        expected += piece + (piece if size <= 65535 else b"")
    assert chip.received == expected + b"\x5a" * 3
    assert chip.selections == len(sizes) + 1
    assert world.console.count("True") == len(sizes) - 1
    assert "ZZ" in world.console


def test_the_bit_order_is_that_on_the_wire(new_world) -> None:
    world = new_world("""
        import machine
        for order in (machine.SPI.LSB, machine.SPI.MSB):
            spi = machine.SPI(3, 1000000, firstbit=order)
            select = machine.Pin(50, machine.Pin.OUT, value=1)
            select(0)
            spi.write(bytes((0x01, 0xF0)))
            select(1)
    """)
    chip = Echo()
    world.board.lines.attach_spi(3, 50, chip, lsb_first=True)
    world.power_on()
    world.wait_off()
    assert chip.received == bytes((0x01, 0xF0, 0x80, 0x0F))


def test_pins_carry_levels_both_ways(new_world) -> None:
    world = new_world("""
        import asyncio
        from machine import Pin
        async def rest():
            await asyncio.sleep_ms(10)
        out = Pin(51, Pin.OUT, value=0)
        inputs = [Pin(number, Pin.IN, Pin.PULL_UP) for number in (52, 53)]
        asyncio.run(rest())
        print([pin.value() for pin in inputs])
        out.on()
        print([pin.value() for pin in inputs])
        out.init(Pin.IN, Pin.PULL_UP)
    """)

    class Mirror:
        idle = False
        levels: list[int] = []

        def pin(self, name: str, level: int) -> None:
            self.levels.append(level)

        def level(self, name: str) -> int:
            return self.levels[-1]

    class Asleep(Mirror):
        idle = True

        def level(self, name: str) -> int:
            raise AssertionError("an idle chip was asked for a level")

    mirror = Mirror()
    world.board.lines.attach_pins(mirror, {51: "in"}, {52: "out"})
    world.board.lines.attach_pins(Asleep(), {}, {53: "out"}, rests=True)
    world.power_on()
    world.wait_off()
    assert world.console.split("\n")[:2] == ["[0, 1]", "[1, 1]"]
    assert mirror.levels == [0, 1, 1]


def test_a_uart_works_as_an_asyncio_stream(new_world) -> None:
    world = new_world("""
        import asyncio, machine, time
        begin = time.ticks_ms()
        async def main():
            uart = machine.UART(3, 9600)
            stream = asyncio.StreamReader(uart)
            uart.write(b"hello\\n")
            print(await stream.readline())
            print(uart.any(), uart.read())
            try:
                await asyncio.wait_for(stream.readline(), 5)
            except asyncio.TimeoutError:
                print("silence", time.ticks_ms() - begin >= 5000)
        asyncio.run(main())
    """)
    world.board.lines.attach_uart(3, Peer())
    world.power_on()
    world.wait_off()
    assert world.console.splitlines() == ["b'HELLO\\n'", "0 None", "silence True"]


def test_a_scanned_code_reaches_the_firmware(run_script) -> None:
    world = run_script("""
        import asyncio, machine
        async def main():
            print((await asyncio.StreamReader(machine.UART(2)).readline()).strip())
        asyncio.run(main())
    """)
    world.scan("6212345678901234567")
    world.wait_off()
    assert "b'6212345678901234567'" in world.console


def test_every_wired_pin_has_its_own_number() -> None:
    pins = [
        wiring.DISPLAY_CS,
        wiring.DISPLAY_DC,
        wiring.DISPLAY_RST,
        wiring.DISPLAY_LIGHT,
        wiring.READER_CS,
        wiring.READER_IRQ,
        wiring.READER_RST,
        *wiring.KEY_ROWS,
        *wiring.KEY_COLS,
    ]
    assert len(set(pins)) == len(pins) and max(pins) < wiring.LIVE_UART
