# SPDX-License-Identifier: MIT
"""The merchant's limits for offline payments. Each has its own refusal, which names what is left of the limit."""

from struct import unpack_from

from kassa import money
from kassa.errors import Refused
from kassa.vault.journal.layout import State

_HOUR = 3600


class Limits:
    """The limits of setting 0C (docs/keys.md). Without it nothing is accepted offline. Amounts in minor units."""

    def __init__(self, data: bytes) -> None:
        self.set = len(data) == 20
        if self.set:
            self.payment = _amount(data, 0)
            self.sum = _amount(data, 6)
            self.count, self.heard_hours, self.unsent_hours, self.per_card, flags = unpack_from(">HHHBB", data, 12)
            self.untrusted_clock = bool(flags & 1)

    def check(self, amount: int, state: State, now: int, trusted: bool) -> None:
        """Raises Refused when a payment of `amount` may not be accepted offline at `now` (seconds since 2000)."""
        if not self.set:
            raise Refused("limit_off")
        if amount > self.payment:
            raise Refused("limit_one", money.text(self.payment))
        if state.count >= self.count:
            raise Refused("limit_count", 0, self.count)
        if state.sum + amount > self.sum:
            raise Refused("limit_sum", money.text(self.sum - state.sum), money.text(self.sum))
        if not trusted and not self.untrusted_clock:
            raise Refused("limit_clock")
        if not state.heard:
            raise Refused("limit_never")
        if now - state.heard > self.heard_hours * _HOUR:  # a negative age passes
            raise Refused("limit_heard", (now - state.heard) // _HOUR, self.heard_hours)
        if state.oldest and now - state.oldest > self.unsent_hours * _HOUR:
            raise Refused("limit_first", (now - state.oldest) // _HOUR, self.unsent_hours)


def _amount(data: bytes, at: int) -> int:
    high, low = unpack_from(">HI", data, at)
    return high << 32 | low
