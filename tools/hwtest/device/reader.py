# SPDX-License-Identifier: MIT
"""The contactless reader: firmware, self-tests, field, and a card by a person. No card data is reported."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tools.hwtest.device.common import Absent, ask, person_ms, row, start

_SELECT_PPSE = b"\x00\xa4\x04\x00\x0e2PAY.SYS.DDF01\x00"
_TESTS = ((b"\x00", "communication"), (b"\x01", "ROM"), (b"\x02", "RAM"))  # UM0701-02, 7.2.1 Diagnose
_ECHO = b"kassa"


async def reader(it: "Any") -> None:
    """Setup first: without it nothing else can be tested."""
    from kassa.errors import ReaderFault

    chip = it.reader

    async def command(head: bytes, data: bytes = b"") -> bytes:
        await chip._command(head, memoryview(data), 1000)
        return bytes(chip._frame[chip._at : chip._end])

    async def setup() -> str:
        try:
            await chip.start()
        except ReaderFault as error:
            raise Absent(
                "supply, the module's switches (SPI) and the wires of CS, SCK, MOSI, MISO, IRQ, RST; %s" % error
            ) from None
        found = await command(b"\x02")
        return "PN5%02x firmware %d.%d" % (found[0], found[1], found[2])

    async def self_test() -> str:
        for number, name in _TESTS:
            data = number + (_ECHO if number == b"\x00" else b"")
            if await command(b"\x00", data) != (data if number == b"\x00" else b"\x00"):
                raise ValueError(name + " test failed")
        return "communication, ROM, RAM"

    async def field() -> str:
        for state in (1, 0):
            await command(b"\x32\x01" + bytes((state,)))
            if bool((await command(b"\x04"))[1]) and not state:
                raise ValueError("the field stays on")
        return "on and off"

    async def card() -> str:
        ask("hold a card to the reader")
        try:
            found = await chip.find(person_ms())
            if not found:
                raise Absent("the antenna, and that the card is a payment card")
            if found > 1:
                raise ValueError("more than one card")
            answer = bytearray(258)
            size = await chip.exchange(memoryview(_SELECT_PPSE), answer)
            return "answers with %d bytes, status %02x%02x" % (size, answer[size - 2], answer[size - 1])
        finally:
            await chip.off()

    if await row("reader", "setup", setup) != "pass":
        return
    await row("reader", "self-test", self_test)
    await row("reader", "field", field)
    await row("reader", "card", card, person_ms() + 5000)


start(reader)
