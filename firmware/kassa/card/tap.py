# SPDX-License-Identifier: MIT
"""One tap: finds a card and passes APDUs between it and the transaction, without keeping any of them."""

import asyncio

from micropython import const

from kassa import overlay
from kassa.card import transaction
from kassa.card.tap_outcomes import END, MSG_ERROR, MSG_NO_CARD, MSG_ONE_CARD, MSG_TRY_AGAIN, TRY_AGAIN, Outcome
from kassa.errors import CardError, CardGone, ReaderFault

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Protocol

    from kassa.card.arena import Arena
    from kassa.card.terms import Terms

    class Reader(Protocol):
        """The card reader methods that a tap needs; see drivers/pn532.py."""

        async def find(self, timeout_ms: int) -> int: ...

        async def exchange(self, capdu: memoryview, into: "bytearray | memoryview") -> int: ...

        async def off(self) -> None: ...


_FIND_AGAIN_MS = const(300)
_GPO = const(0xA8)  # GET PROCESSING OPTIONS: the card increments its transaction counter


async def _silent() -> None:
    pass


async def read(
    reader: "Reader",
    terms: "Terms",
    arena: "Arena",
    timeout_ms: int,
    on_card_done: "Callable[[], Awaitable[None]]" = _silent,
) -> Outcome:
    """Wait up to `timeout_ms` for a card and read it.

    `on_card_done`: awaited once the card is no longer needed and may be removed, before its proof is checked.

    After ONLINE and APPROVED the arena holds body, first six and last four digits; otherwise it is zero. A card lost
    before GET PROCESSING OPTIONS is looked for once more, because its transaction counter has not changed yet. Lost
    later, the outcome is TRY_AGAIN; no command is sent twice. A card that breaks the rules gives END. Raises
    ReaderFault.
    """
    try:
        found = await reader.find(timeout_ms)
        for last_chance in (False, True):
            if not found:
                return Outcome(TRY_AGAIN, MSG_TRY_AGAIN) if last_chance else Outcome(END, MSG_NO_CARD)
            if found > 1:
                return Outcome(TRY_AGAIN, MSG_ONE_CARD)
            outcome = await _attempt(reader, terms, arena, last_chance, on_card_done)
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
    """Switch the field off. A fault is ignored: the card is already read, and the next tap reports a broken reader."""
    try:
        await reader.off()
    except ReaderFault:
        pass


async def _attempt(
    reader: "Reader", terms: "Terms", arena: "Arena", last_chance: bool, on_card_done: "Callable[[], Awaitable[None]]"
) -> "Outcome | None":
    """Run one transaction with the card in the field.

    Returns None if the card is lost while a restart is still harmless.
    """
    steps = transaction.read(terms, arena)
    counted = False
    try:
        command = next(steps)
        while True:
            if command is None:
                await _off(reader)
                overlay.enter("proof")
                await on_card_done()
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
