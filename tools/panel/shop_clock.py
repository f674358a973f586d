# SPDX-License-Identifier: MIT
"""The time of day in the shop. The host tells the terminal this time; it can be moved forward, and stays so between runs."""

import datetime
from pathlib import Path

_MORNING = datetime.time(9)


class ShopClock:
    """This machine's local time plus a shift, which is kept in `file`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.shift = datetime.timedelta(seconds=int(file.read_text()) if file.exists() else 0)

    def now(self) -> datetime.datetime:
        """Local time, without a time zone."""
        return datetime.datetime.now() + self.shift

    def ms(self) -> int:
        """Milliseconds since 1970, UTC."""
        return round(self.now().timestamp() * 1000)

    def advance(self, by: datetime.timedelta) -> None:
        """Move the clock forward."""
        self.shift += by
        self._file.write_text(str(round(self.shift.total_seconds())))

    def until_morning(self) -> datetime.timedelta:
        """How long until the shop opens next, at nine."""
        now = self.now()
        opens = datetime.datetime.combine(now.date(), _MORNING)
        return (opens if opens > now else opens + datetime.timedelta(days=1)) - now
