# SPDX-License-Identifier: MIT
"""The terminal's status for the screens: plain fields, each with one writer, and an event that signals a change."""

import asyncio

from micropython import const

LINK_OFF = 0  # no Wi-Fi
LINK_WIFI = 1  # Wi-Fi, but the host has not answered
LINK_BUSY = 2  # exchanging messages with the host
LINK_HOST = 3  # the host has answered


TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    class Queue(Protocol):
        """The journal's state, vault.journal.layout.State."""

        count: int
        sum: int
        batch: int
        reversing: int
        refused: int


class Status:
    """Read by screens and flows. The comment beside each field names its only writer."""

    def __init__(self) -> None:
        self.link = LINK_OFF  # uplink
        self.signal = 0  # uplink: of Wi-Fi, 1 weak to 4 strong
        self.clock_trusted = False  # uplink, from the host's time
        self.minute = 0  # terminal: the local time, in minutes
        self.pending_count = 0  # from the journal's state: accepted, not yet answered by the host
        self.pending_sum = 0  # likewise, minor units
        self.batch = 0  # likewise: number of the open batch
        self.reversing = False  # likewise: a reversal is unanswered
        self.refused_later = 0  # likewise: payments refused later by the host, not yet noted by a cashier
        self.renewed = False  # uplink: the host has changed settings
        self.event = asyncio.Event()

    def set_pending(self, state: "Queue") -> None:
        """Copy count, sum, batch, open reversal and later refusals from the journal's state. Call it when they change."""
        self.pending_count = state.count
        self.pending_sum = state.sum
        self.batch = state.batch
        self.reversing = bool(state.reversing)
        self.refused_later = max(0, state.refused)
        self.changed()

    def changed(self) -> None:
        """Wake the task that shows the status."""
        self.event.set()
