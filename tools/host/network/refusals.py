# SPDX-License-Identifier: MIT
"""Counts what is refused, and logs it: the first of its kind at once, the rest of the minute as a count."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tools.host.running import logs

MINUTE = 60.0


class Refusals:
    """`counters`: the host's, shared with others; a refusal counts under its reason. `clock`: seconds."""

    def __init__(self, counters: Counter[str], clock: Callable[[], float] = time.monotonic) -> None:
        self.by_reason: Counter[str] = Counter()
        self._counters = counters
        self._clock = clock
        self._since: dict[str, float] = {}  # reason -> when its last line was logged
        self._unsaid: Counter[str] = Counter()

    def note(self, reason: str, level: int = logging.WARNING, **fields: Any) -> None:
        """Count a refusal among the host's counters too, and log it; see `say`."""
        self._counters[reason] += 1
        self.say(reason, level, **fields)

    def say(self, reason: str, level: int = logging.WARNING, **fields: Any) -> None:
        """Log a refusal, at most one line per reason and minute. `fields` must hold no card data."""
        self.by_reason[reason] += 1
        now = self._clock()
        if reason in self._since and now - self._since[reason] < MINUTE:
            self._unsaid[reason] += 1
            return
        self._since[reason] = now
        logs.say(level, "refused", reason=reason, count=self._unsaid.pop(reason, 0) + 1, **fields)

    def say_counts(self, all_of_them: bool = False) -> None:
        """Log the counts of minutes that are over; to be called now and then. `all_of_them`: the host stops."""
        now = self._clock()
        for reason, count in list(self._unsaid.items()):
            if count and (all_of_them or now - self._since[reason] >= MINUTE):
                del self._unsaid[reason]
                self._since[reason] = now
                logs.say(logging.WARNING, "refused", reason=reason, count=count)
