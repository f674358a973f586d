# SPDX-License-Identifier: MIT
"""Sends the log of what staff did to the host, some acts at a time, until the host has them all. Loaded on demand."""

from struct import pack_into

from micropython import const

from kassa.errors import FlashFault, JournalFull
from kassa.uplink import answers
from kassa.uplink.in_flight import MANAGE

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.uplink.iso8583 import Answer
    from kassa.uplink.outbox import Outbox
    from kassa.vault.settings.settings import Settings

_NETWORK = const(363)  # 60.3
_MOST = const(12)  # acts in a message
_FORM = const(1)


class ActsUpload:
    """A management task. The host knows an act by its serial number, so that it may be sent twice."""

    closes = changed = False

    def __init__(self, values: "Settings") -> None:
        self._settings = values
        self._last = 0  # newest act in the message that was sent

    def restart(self) -> None:
        """Nothing to do on a new connection: what has no answer is sent again."""

    def frame(self, outbox: "Outbox", record: bytearray) -> memoryview | None:
        """What to send now, None = first the answers. DE 62: format version 1, id of the log 4, acts of 17 bytes each."""
        if outbox.in_flight.count:
            return None
        from kassa.vault.settings.acts import LOG, WIDTH, Acts

        acts = Acts(self._settings)
        found = acts.unsent(_MOST)
        free = bytearray(1 + LOG)
        pack_into(">B4s", free, 0, _FORM, acts.log)
        for act in found:
            free.extend(act)
        # nothing was found if the cells have rotted: no act is awaited then
        self._last = int.from_bytes(free[-WIDTH + 3 : -WIDTH + 7], "big") if found else acts.serial
        return outbox.manage(MANAGE, 0x0820, _NETWORK, free)

    def take(self, answer: "Answer", purpose: int, code: bytes) -> bool:
        """Mark what the host has. Returns whether the task has ended."""
        if answers.meaning(code, answers.MANAGEMENT) != answers.YES or not self._last:
            return True
        from kassa.vault.settings.acts import Acts

        try:
            acts = Acts(self._settings)
            acts.mark_sent(self._last)
        except (FlashFault, JournalFull):
            return True
        return acts.serial <= acts.sent
