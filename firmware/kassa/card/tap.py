# SPDX-License-Identifier: MIT
"""One tap: find a card, carry APDUs between it and the transaction, and keep nothing of what passed by."""

import asyncio

from micropython import const

from kassa import overlay
from kassa.card import transaction
from kassa.card.outcomes import END, MSG_ERROR, MSG_NO_CARD, MSG_ONE_CARD, MSG_TRY_AGAIN, TRY_AGAIN, Outcome
from kassa.errors import CardError, CardGone, ReaderFault

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Protocol

    from kassa.card.arena import Arena
    from kassa.card.terms import Terms

    class Reader(Protocol):
        """What a tap needs of a card reader: drivers/pn532.py says what these do."""

        async def find(self, timeout_ms: int) -> int: ...

        async def exchange(self, capdu: memoryview, into: "bytearray | memoryview") -> int: ...

        async def off(self) -> None: ...


_FIND_AGAIN_MS = const(300)
_GPO = const(0xA8)  # GET PROCESSING OPTIONS: from this instruction on the card counts a transaction


async def _silent() -> None:
    pass


async def read(
    reader: "Reader", terms: "Terms", arena: "Arena", timeout_ms: int, told: "Callable[[], Awaitable[None]]" = _silent
) -> Outcome:
    """Wait up to `timeout_ms` for a card and read it. After ONLINE and APPROVED the arena holds body and mask, else nothing.

    `told`: awaited when the card has said all and its proof is still to be checked: it may be taken away.

    A card lost before GET PROCESSING OPTIONS is looked for once more: it has not counted a transaction yet. After that
    a loss is TRY_AGAIN, and nothing is sent twice. A card that misbehaves is END. Raises ReaderFault.
    """
    try:
        found = await reader.find(timeout_ms)
        for last_chance in (False, True):
            if not found:
                return Outcome(TRY_AGAIN, MSG_TRY_AGAIN) if last_chance else Outcome(END, MSG_NO_CARD)
            if found > 1:
                return Outcome(TRY_AGAIN, MSG_ONE_CARD)
            outcome = await _attempt(reader, terms, arena, last_chance, told)
            if outcome is not None:
                return outcome
            found = await reader.find(_FIND_AGAIN_MS)
        return Outcome(TRY_AGAIN, MSG_TRY_AGAIN)
    finally:
        try:
            await _off(reader)
        except asyncio.CancelledError:
            arena.wipe()
            raise


async def _off(reader: "Reader") -> None:
    """What was read is read; a reader that is broken says so at the next card."""
    try:
        await reader.off()
    except ReaderFault:
        pass


async def _attempt(
    reader: "Reader", terms: "Terms", arena: "Arena", last_chance: bool, told: "Callable[[], Awaitable[None]]"
) -> "Outcome | None":
    """One transaction with the card in the field; None = lost while starting over is still harmless."""
    steps = transaction.read(terms, arena)
    counted = False
    try:
        command = next(steps)
        while True:
            if command is None:
                await _off(reader)
                overlay.enter("proof")
                await told()
                command = steps.send(arena.answer)
                continue
            counted = counted or command[1] == _GPO
            size = await reader.exchange(command, arena.answer)
            command = steps.send(arena.answer[:size])
    except StopIteration as end:
        return end.value
    except CardError:
        return Outcome(END, MSG_ERROR)
    except CardGone:
        return Outcome(TRY_AGAIN, MSG_TRY_AGAIN) if counted or last_chance else None
    finally:
        steps.close()
