# SPDX-License-Identifier: MIT
"""The keypad driver on the virtual key matrix: debouncing, order, two keys at once, and no heap use."""

import pytest

from tools.world.keypad import KEYS, KeyMatrix

ECHO = """
import asyncio
from board import Board
keypad = Board().keypad
async def main():
    asyncio.create_task(keypad.run())
    while True:
        print("key", chr(await keypad.get()))
asyncio.run(main())
"""


def keys(world) -> str:
    return "".join(line[4:] for line in world.console.splitlines() if line.startswith("key "))


def test_every_key_is_reported_once_and_in_order(run_script) -> None:
    world = run_script(ECHO)
    world.press(KEYS + KEYS[::-1])
    world.wait(lambda: len(keys(world)) >= 32, "32 keys")
    world.run_for(500)
    assert keys(world) == KEYS + KEYS[::-1]


def test_a_held_key_is_reported_once(run_script) -> None:
    world = run_script(ECHO)
    world.run_for(100)
    world.hold("5")
    world.run_for(3000)
    world.release("5")
    world.run_for(200)
    assert keys(world) == "5"


def test_a_press_shorter_than_three_samples_is_ignored(run_script) -> None:
    world = run_script(ECHO)
    world.run_for(100)
    for _ in range(20):
        world.hold("5")
        world.run_for(10)
        world.release("5")
        world.run_for(10)
    world.run_for(200)
    assert keys(world) == ""


@pytest.mark.parametrize("pair", ["12", "14", "15", "CE"])
def test_two_keys_at_once_are_ignored(run_script, pair: str) -> None:
    """Two keys in the same row, in the same column, in neither. Afterwards the keypad works again."""
    world = run_script(ECHO)
    world.run_for(100)
    for key in pair:
        world.hold(key)
    world.run_for(300)
    for key in pair:
        world.release(key)
    world.run_for(300)
    world.press("7")
    world.run_for(300)
    assert keys(world) == "7"


def test_two_overlapping_keys_are_reported_in_order(run_script) -> None:
    world = run_script(ECHO)
    world.run_for(100)
    world.hold("1")
    world.run_for(100)
    world.hold("8")
    world.run_for(100)
    world.release("1")
    world.run_for(100)
    world.release("8")
    world.run_for(100)
    assert keys(world) == "18"


def test_sixteen_keys_are_queued_for_a_busy_terminal(run_script) -> None:
    world = run_script("""
        import asyncio
        from board import Board
        keypad = Board().keypad
        async def main():
            asyncio.create_task(keypad.run())
            await asyncio.sleep(10)
            while True:
                key = await keypad.get_within(1000)
                print("key", chr(key) if key else "none")
                if not key:
                    break
        asyncio.run(main())
    """)
    world.press("1234567890123456789")
    world.wait_off()
    assert keys(world) == "1234567890123456none"


def test_a_scan_allocates_nothing(run_script) -> None:
    world = run_script("""
        import asyncio, micropython, time
        from board import Board
        keypad = Board().keypad
        async def main():
            for _ in range(100):
                micropython.heap_lock()
                keypad.scan()
                key = keypad.take()
                micropython.heap_unlock()
                if key:
                    print("key", chr(key))
                await asyncio.sleep_ms(10)
            print("done")
        asyncio.run(main())
    """)
    world.press("5E")
    world.wait_off()
    assert keys(world) == "5E"
    assert "done" in world.console


def test_the_matrix_shows_a_key_only_while_its_row_is_driven() -> None:
    matrix = KeyMatrix()
    matrix.press("5")
    for row in range(4):
        matrix.pin(f"row{row}", 1)
    assert matrix.level("col1") == 1
    matrix.pin("row1", 0)
    assert [matrix.level(f"col{col}") for col in range(4)] == [1, 0, 1, 1]
    with pytest.raises(ValueError):
        matrix.press("X")
