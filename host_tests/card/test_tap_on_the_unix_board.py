# SPDX-License-Identifier: MIT
"""The shipped driver and kernel in MicroPython, connected to the virtual chip by the Unix board's bus."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from tools.cards.catalogue import make
from tools.cards.issuer_keys import key_for
from tools.cards.verify import check_cryptogram, parse
from tools.host.keys.card_number import pan_of

TAPS = """
import asyncio
from board import Board
from kassa.card import tap
from kassa.card.arena import Arena
from kassa.card.terms import Terms

board = Board()
reader = board.reader
arena = Arena()

async def main():
    await reader.start()
    count = 0
    while True:
        board.watchdog.feed()
        terms = Terms(4200, 156, 156, b"\\x26\\x11\\x23", b"\\x00\\x00\\x00\\x07")
        outcome = await tap.read(reader, terms, arena, 200)
        if outcome.message != 0x15:
            count += 1
            print("tap %d: kind %d body %s" % (count, outcome.kind, bytes(arena.body).hex()))
            arena.wipe()
            while not await reader.wait_removed(200):
                board.watchdog.feed()
            print("gone %d" % count)

asyncio.run(main())
"""


@pytest.fixture
def tap(run_script: Callable[..., Any]) -> Callable[[str], tuple[int, bytes]]:
    """Place a card of the catalogue on the reader of one running terminal. Returns the outcome and the body."""
    world = run_script(TAPS)
    taps = 0

    def lay(name: str) -> tuple[int, bytes]:
        nonlocal taps
        taps += 1
        world.place(make(name))
        world.wait(lambda: f"tap {taps}:" in world.console, f"tap {taps}", timeout=20)
        world.remove()
        world.wait(lambda: f"gone {taps}" in world.console, f"tap {taps} to end")
        found = re.search(rf"tap {taps}: kind (\d) body (\w+)", world.console)
        assert found
        return int(found[1]), bytes.fromhex(found[2])

    return lay


def test_one_terminal_reads_several_cards_in_a_row(tap: Callable[[str], tuple[int, bytes]]) -> None:
    for name in ("jade", "torn3", "lotus", "noise", "tide", "pearl", "declines", "slow", "amber"):
        kind, body = tap(name)
        expected = {"torn3": 4, "noise": 6, "declines": 3}.get(name, 1)
        assert kind == expected, name
        if kind == 1:
            tags = parse(body)
            key = key_for(pan_of(tags))
            assert key is not None and check_cryptogram(tags, key), name
        else:
            assert not any(body), name
