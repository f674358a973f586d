# SPDX-License-Identifier: MIT
"""News for the screens: one record of plain fields, each written by its owning room, and one event that says it changed."""

import asyncio

from micropython import const

LINK_OFF = 0  # no Wi-Fi
LINK_WIFI = 1  # Wi-Fi, host not heard
LINK_BUSY = 2  # talking to the host
LINK_HOST = 3  # host heard


TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    class Queue(Protocol):
        """The journal's state, vault.journal.layout.State."""

        count: int
        sum: int
        reversing: int
        refused: int


class Status:
    """Read by screens and flows; the comment behind each field names its only writer."""

    def __init__(self) -> None:
        self.link = LINK_OFF  # uplink
        self.clock_trusted = False  # uplink, from the host's time
        self.pending_count = 0  # from the journal's state: accepted, not yet answered by the host
        self.pending_sum = 0  # likewise, minor units
        self.reversing = False  # likewise: a reversal waits for its answer
        self.refused_later = 0  # likewise: payments the host refused later, and nobody has noted yet
        self.renewed = False  # uplink: the host has changed settings
        self.event = asyncio.Event()

    def queue(self, state: "Queue") -> None:
        """Take over count, sum, open reversal and later refusals from the journal's state, whoever changed it."""
        self.pending_count = state.count
        self.pending_sum = state.sum
        self.reversing = bool(state.reversing)
        self.refused_later = max(0, state.refused)
        self.changed()

    def changed(self) -> None:
        """Wake whoever shows the status."""
        self.event.set()
