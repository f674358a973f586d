# SPDX-License-Identifier: MIT
"""A host's service with moods (moods.py)."""

import asyncio
import dataclasses
from typing import Any

from tools.host.errors import HangUp
from tools.host.transactions.service import Service
from tools.host.wire.message import Message
from tools.sim import moods


class MoodyService(Service):
    """Behaves as its mood says, which may be set at any time."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.mood = moods.Mood()

    async def respond(self, messages: list[Message]) -> list[bytes]:
        """The frames to send in answer, as the mood wants them; see Service.respond."""
        mood = self.mood
        if mood.kind == moods.SILENT:
            self.counters["unanswered"] += len(messages)
            return []
        if mood.kind == moods.MUTE:
            messages = [message for message in messages if message.mti.startswith("08")]
        if mood.kind == moods.HTML:
            raise HangUp(moods.PORTAL)
        if mood.kind == moods.SLOW:
            await asyncio.sleep(mood.delay)
        if mood.kind == moods.MISMATCH:
            messages = [_with_other_totals(message) for message in messages]
        replies = await self.answer(messages)
        if mood.kind == moods.WRONG_AMOUNT:
            replies = [(message, moods.with_wrong_amount(fields)) for message, fields in replies]
        frames = [self.envelope(reply) for reply in replies]
        if mood.kind == moods.LATE:
            await asyncio.sleep(mood.delay)
        if mood.kind == moods.CUT:
            raise HangUp
        if mood.kind == moods.BAD_MAC:
            frames = [frame[:-1] + bytes((frame[-1] ^ 1,)) for frame in frames]
        if mood.kind == moods.TWICE:
            frames = [frame for frame in frames for _ in range(2)]
        return frames


def _with_other_totals(message: Message) -> Message:
    """A batch close as if the terminal had other totals than it has. Other messages are unchanged."""
    if message.mti != "0500":
        return message
    digits = message.fields["48"]
    other = f"{(int(digits[:12]) + 1) % 10**12:012}" + digits[12:]
    return dataclasses.replace(message, fields={**message.fields, "48": other})
