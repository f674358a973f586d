# SPDX-License-Identifier: MIT
"""Sent first: how a part reports its rows. What it prints are lines "hwtest: " and a JSON list; see tools/hwtest/rows.py."""

import asyncio
import gc
import json
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any

    Work = Callable[[], Awaitable[str | None]]

OPTIONS = {}  # unattended (bool), seconds (for a person to act), erase (label or "")


class Absent(Exception):
    """The part does not answer. The text says what to check."""


class Skip(Exception):
    """The test does not apply. The text says why."""


def say(*values: object) -> None:
    """Send a message to the runner."""
    print("hwtest: " + json.dumps(values))


def ask(text: str) -> None:
    """Ask the person at the board to do something. Raises Skip if there is none."""
    if OPTIONS["unattended"]:
        raise Skip("needs a person")
    say("do", "%s (%d s)" % (text, OPTIONS["seconds"]))


def question(text: str) -> None:
    """After the next row: a yes-or-no question. "No" makes the row fail."""
    say("question", text)


async def row(part: str, test: str, work: "Work", limit_ms: int = 5000) -> str:
    """Run one test and report it. `work` returns a note, or raises Absent or Skip; any other error fails the row.

    Returns the result: "pass", "FAIL", "absent" or "skip".
    """
    say("begin", part, test, limit_ms)
    gc.collect()
    start = time.ticks_ms()
    result, note = "pass", ""
    try:
        note = await asyncio.wait_for_ms(work(), limit_ms) or ""
    except Absent as error:
        result, note = "absent", "check " + str(error)
    except Skip as error:
        result, note = "skip", str(error)
    except asyncio.TimeoutError:
        result, note = "FAIL", "not done within %d ms" % limit_ms
    except Exception as error:
        result, note = "FAIL", "%s %s" % (type(error).__name__, error)
    say("row", part, test, result, time.ticks_diff(time.ticks_ms(), start), note)
    return result


def person_ms() -> int:
    """How long a person may take, in ms."""
    return 1000 * OPTIONS["seconds"]


def start(main: "Callable[[Any], Coroutine[Any, Any, Any]]") -> None:
    """Run a part on a board made for it."""
    from board import Board

    asyncio.new_event_loop()  # what an interrupted program left in the old one is gone
    asyncio.run(main(Board()))
