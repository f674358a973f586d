# SPDX-License-Identifier: MIT
"""Decides when to settle automatically: at the set time of day, or before the batch is full. Loaded only for that."""

from micropython import const

from kassa.vault.journal.journal import Journal
from kassa.vault.journal.layout import PAGE, Record
from kassa.vault.journal.reader import Reader
from kassa.vault.settings import settings
from kassa.vault.settings.settings import Settings

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.clock import Clock

_DAY = const(86400)
_AHEAD = const(7200)  # a clock correction or the end of summer time dates a payment at most this far ahead
_NEVER = const(0xFFFF)
_MOST = const(900)  # records in a batch, when not set: DE 48 counts to 999


def due(journal: Journal, values: Settings, clock: "Clock") -> bool:
    """Whether to settle the open batch now. Setting 12: minute of the day (FFFF = never), records in a batch.

    A batch that begins in the future has a wrong date and is settled at once.
    """
    state = journal.state
    count = state.sequence - state.closed
    if not count:
        return False
    data = values.get(settings.SETTLING, b"")
    minute, most = _NEVER, _MOST
    if len(data) == 4:
        minute, most = data[0] << 8 | data[1], min(_MOST, data[2] << 8 | data[3])
    if count >= most:
        return True
    if minute == _NEVER or not clock.trusted:
        return False
    now = clock.now()
    last = now - now % _DAY + minute * 60  # the set time today, past or to come
    if last > now:
        last -= _DAY
    page = bytearray(PAGE)
    return Reader(journal, state.closed + 1).read(page) > 0 and not last <= Record(page).time <= now + _AHEAD
