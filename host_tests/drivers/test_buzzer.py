# SPDX-License-Identifier: MIT
"""Beeps on a virtual buzzer: the tones that are heard, and silence afterwards."""

import pytest

from tools.world.chips import Buzzer

PLAY = """
import asyncio
import wiring
from board import Board
async def main():
    board = Board()
    await asyncio.sleep_ms(100)
    {}
    await asyncio.sleep_ms(500)
asyncio.run(main())
"""
BEEPS = {
    "tap": ("tap", [(2700, 50)]),
    "ok": ("short", [(2000, 150)]),
    "hold": ("short", [(2000, 150)]),
    "declined": ("long", [(500, 600)]),
    "warn": ("three", [(1000, 120), (0, 100), (1000, 120), (0, 100), (1000, 120)]),
    "refuse": ("three", [(1000, 120), (0, 100), (1000, 120), (0, 100), (1000, 120)]),
    "display": ("display", [(400, 600), (0, 100), (400, 120), (0, 100), (400, 120)]),
}


@pytest.mark.parametrize("beep", BEEPS)
def test_each_beep_is_heard_once(run_script, beep: str) -> None:
    name, tones = BEEPS[beep]
    world = run_script(PLAY.format(f"await board.beep({beep!r})"))
    world.wait_off()
    world.power_off()
    heard = world.chips.buzzer.heard[1:]  # after the silence before
    assert [tone for tone, _ in heard] == [tone for tone, _ in tones]
    for (_, lasted), (_, wanted) in zip(heard, tones, strict=True):
        assert wanted <= lasted < wanted + 60, heard
    assert world.beeps == [name] and world.chips.buzzer.tone == 0


def test_a_cancelled_beep_leaves_silence(run_script) -> None:
    world = run_script(
        PLAY.format("task = asyncio.create_task(board.beep('display')); await asyncio.sleep_ms(300); task.cancel()")
    )
    world.wait_off()
    assert [tone for tone, _ in world.chips.buzzer.heard if tone] == [400]
    assert world.chips.buzzer.tone == 0


def test_a_newer_beep_ends_the_older_one_and_is_heard_whole(run_script) -> None:
    world = run_script(
        PLAY.format(
            "asyncio.create_task(board.beep('declined')); await asyncio.sleep_ms(200); await board.beep('refuse')"
        )
    )
    world.wait_off()
    world.power_off()
    tones = [tone for tone in world.chips.buzzer.heard if tone[0]]
    assert [tone for tone, _ in tones] == [500, 1000, 1000, 1000] and tones[0][1] < 400
    assert all(lasted >= 120 for _, lasted in tones[1:])
    assert world.beeps == ["long", "three"] and world.chips.buzzer.tone == 0


def test_a_beep_that_is_cut_short_or_unknown_is_named_other() -> None:
    buzzer = Buzzer()
    for now, tone in ((100, 1000), (220, 0), (320, 1000), (440, 0), (900, 777), (950, 0), (1300, 2000)):
        buzzer.tick(now)
        buzzer.wave(tone, 32768 if tone else 0)
    buzzer.power_off()
    assert buzzer.beeps == ["other", "other", "short"]
