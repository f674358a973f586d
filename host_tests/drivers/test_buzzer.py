# SPDX-License-Identifier: MIT
"""The buzzer's driver on a virtual buzzer: the tones that are heard, and silence afterwards."""

import pytest

PLAY = """
import asyncio
import wiring
from kassa.drivers import buzzer
from machine import PWM, Pin
async def main():
    beeper = buzzer.Buzzer(PWM(Pin(wiring.BUZZER), freq=1000, duty_u16=0))
    await asyncio.sleep_ms(100)
    task = asyncio.create_task(beeper.play(buzzer.{}))
    await asyncio.sleep_ms({})
    task.cancel()
    await asyncio.sleep_ms(100)
asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("pattern", "tones"),
    [
        ("GOOD", [(2000, 80), (2700, 120)]),
        ("ERROR", [(400, 250), (0, 100), (400, 250)]),
        ("DEAD", [(400, 600), (0, 200), (400, 150), (0, 150), (400, 150)]),
    ],
)
def test_each_pattern_is_heard_once(run_script, pattern: str, tones: list[tuple[int, int]]) -> None:
    world = run_script(PLAY.format(pattern, 3000))
    world.wait_off()
    heard = world.chips.buzzer.heard[1:]  # after the silence before
    assert [tone for tone, _ in heard] == [tone for tone, _ in tones]
    for (_, lasted), (_, wanted) in zip(heard, tones, strict=True):
        assert wanted <= lasted < wanted + 60, heard
    assert world.chips.buzzer.tone == 0


def test_a_cancelled_pattern_leaves_silence(run_script) -> None:
    world = run_script(PLAY.format("DEAD", 300))
    world.wait_off()
    assert [tone for tone, _ in world.chips.buzzer.heard[1:]] == [400]
    assert world.chips.buzzer.tone == 0
