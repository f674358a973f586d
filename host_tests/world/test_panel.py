# SPDX-License-Identifier: MIT
"""Keys through the shipped keypad driver, and pixels through the shipped display driver."""

from boards.unix import wiring
from tools.world import World

ECHO = """
import asyncio
from board import Board
board = Board()
board.display.start()
async def main():
    asyncio.create_task(board.keypad.run())
    while True:
        board.watchdog.feed()
        key = await board.keypad.get_within(1000)
        if key:
            print("key", chr(key))
            board.display.fill(0, 0, 320, 240, 0xE007 if key == 69 else 0x1F00)
asyncio.run(main())
"""


def keys(world: World) -> str:
    return "".join(line[4:] for line in world.console.splitlines() if line.startswith("key "))


def test_no_key_is_lost(run_script) -> None:
    world = run_script(ECHO)
    typed = "123C456B789UM0DE" * 3 + "11111"
    world.press(typed)
    world.wait(lambda: len(keys(world)) == len(typed), "every key")
    assert keys(world) == typed


def test_a_held_key_is_reported_once(run_script) -> None:
    world = run_script(ECHO)
    world.hold("5")
    world.run_for(5000)
    world.release("5")
    world.run_for(1000)
    assert keys(world) == "5"


def test_pixels_reach_the_display(run_script) -> None:
    world = run_script(ECHO)
    world.press("E")
    world.wait(lambda: keys(world) == "E", "the key")
    world.run_for(100)
    assert set(world.chips.display.pixels[i : i + 2] for i in range(0, 320 * 240 * 2, 2)) == {b"\x07\xe0"}
    assert world.screen_png().startswith(b"\x89PNG")
    assert world.chips.display_writes() == world.board.lines.spi_bytes[wiring.DISPLAY_SPI] > 2 * 320 * 240 * 2
