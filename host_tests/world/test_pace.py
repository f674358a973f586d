# SPDX-License-Identifier: MIT
"""Virtual time: it jumps while a test waits, stops when the condition is met, and never runs ahead of real work."""

import time

import pytest

from tools.world import WorldError
from tools.world.pace import Pace

SLEEPER = """
import asyncio, time
async def tick():
    while True:
        await asyncio.sleep_ms(10)
async def main():
    scan = asyncio.create_task(tick())
    begin = time.ticks_ms()
    await asyncio.sleep(60)
    print("slept", time.ticks_diff(time.ticks_ms(), begin))
    time.sleep_ms(3000)
    print("blocked", time.ticks_diff(time.ticks_ms(), begin))
asyncio.run(main())
"""


def test_time_jumps_over_a_minute_of_waiting(run_script) -> None:
    world = run_script(SLEEPER)
    world.wait_off()
    slept, blocked = (int(line.split()[1]) for line in world.console.splitlines())
    assert 60000 <= slept < 61000
    assert 63000 <= blocked < 64000


def test_time_does_not_jump_while_no_test_waits(run_script) -> None:
    """A test that computes for a while finds the terminal as it left it."""
    world = run_script(SLEEPER)
    world.run_for(1000)
    before, begin = world.now, time.monotonic()
    while time.monotonic() - begin < 0.2:
        pass
    assert world.now - before < 1000
    assert world.on


def test_waiting_stops_when_the_condition_is_met(run_script) -> None:
    """The condition is checked on every turn, so that time does not pass it."""
    world = run_script("""
        import asyncio, machine
        async def main():
            uart = machine.UART(1)
            for second in range(1000):
                uart.write(b"%d\\n" % second)
                await asyncio.sleep(1)
        asyncio.run(main())
    """)
    world.wait(lambda: "100" in world.chips.printer.paper_text, "the hundredth line")
    assert 100_000 <= world.now < 100_500


def test_time_never_jumps_at_real_speed(run_script) -> None:
    world = run_script(
        """
        import asyncio, time
        async def main():
            begin = time.ticks_ms()
            await asyncio.sleep_ms(300)
            time.sleep_ms(100)
            print("slept", time.ticks_diff(time.ticks_ms(), begin))
        asyncio.run(main())
    """,
        speed="real",
    )
    begin = time.monotonic()
    world.wait_off()
    assert time.monotonic() - begin >= 0.4
    assert 400 <= int(world.console.split()[1]) < 1000


def test_a_leap_moves_the_ticks_at_once_without_a_watchdog_reset(run_script) -> None:
    world = run_script("""
        import asyncio, machine
        async def main():
            watchdog = machine.WDT(timeout=2000)
            while True:
                watchdog.feed()
                await asyncio.sleep(1)
        asyncio.run(main())
    """)
    world.run_for(1000)
    world.leap(24 * 3600 * 1000)
    world.run_for(1000)
    assert world.now > 24 * 3600 * 1000
    assert world.resets == []


def test_ticks_wrap_as_on_the_chip_and_the_event_loop_continues(run_script) -> None:
    """They wrap after 2**30 ms. The world's own time does not wrap."""
    world = run_script("""
        import asyncio, time
        async def main():
            last, wraps, begin = time.ticks_ms(), 0, time.ticks_ms()
            while True:
                await asyncio.sleep_ms(500)
                now = time.ticks_ms()
                assert 0 <= now < 1 << 30 and time.ticks_diff(now, last) > 0
                if now < last:
                    wraps += 1
                    print("wraps", wraps, time.ticks_diff(begin, time.ticks_add(begin, 1 << 28)))
                last = now
        asyncio.run(main())
    """)
    for _ in range(2 * 12):  # three wraps, in steps of less than half a period
        world.leap(1 << 27)
        world.run_for(1200)
    assert world.console.splitlines()[:3] == [f"wraps {n} -268435456" for n in (1, 2, 3)]
    assert world.now >= 24 << 27


def test_a_timeout_is_reported_with_screen_and_console(run_script) -> None:
    world = run_script("""
        import asyncio
        print("I am here")
        async def main():
            while True:
                await asyncio.sleep(1)
        asyncio.run(main())
    """)
    with pytest.raises(WorldError, match="(?s)0.3 s for 'Hello' on the screen.*screen.*I am here"):
        world.wait_screen("Hello", timeout=0.3)


def test_an_error_in_a_condition_is_raised_by_wait(run_script) -> None:
    world = run_script(SLEEPER)
    with pytest.raises(ZeroDivisionError):
        world.wait(lambda: 1 / 0 > 0, "nonsense")
    world.run_for(1000)


def test_time_does_not_jump_past_real_work() -> None:
    """Tests Pace alone, with turns taken during a wait."""
    turns = []
    busy = [True, True, False]
    pace = Pace(True, lambda: busy.pop(0))

    def take_turns() -> None:
        if busy:
            turns.extend(pace.turn(1000, 0) for _ in range(3))

    assert not pace.wait(lambda: False, 0.01, take_turns)
    assert turns == [(0, 0, 5), (0, 0, 5), (1000, 250, 0)]
    assert pace.turn(1000, 0) == (0, 0, 5)


def test_time_does_not_jump_past_the_end_of_a_run() -> None:
    turns = []
    pace = Pace(True, lambda: False)
    pace.wait(lambda: False, 0.01, lambda: turns.append((pace.turn(1000, 0), pace.turn(30, 0))), until=50)
    assert turns[0] == ((50, 0, 0), (30, 20, 0))
