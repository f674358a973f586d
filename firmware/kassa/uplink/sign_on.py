# SPDX-License-Identifier: MIT
"""The handshake: what it tells the host, and what the host says: time, batch, epoch, whether it saw an older state of this chip."""

from struct import pack_into, unpack_from

from micropython import const

from kassa.calendar import seconds
from kassa.errors import WireError
from kassa.money import unpack_bcd
from kassa.uplink.iso8583 import Answer
from kassa.vault.journal import layout
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.layout import State
from kassa.vault.journal.ring import AHEAD

_HEARD_S = const(600)  # the time the host was heard is written again after this


def form(state: State, head: bytearray) -> bytearray:
    """DE 62 of 0800: version, epoch, newest sequence and its seal tag."""
    free = bytearray(15)
    pack_into(">BHI", free, 0, 1, state.epoch, state.sequence)
    free[7:] = head
    return free


def read(answer: Answer) -> tuple[bool, int, int, int, int]:
    """Whether the host holds our payments back, its epoch (0 then), its batch, local time, highest counter it has seen.

    Raises WireError when something of it is missing.
    """
    free, form = answer.get(62), answer.get(60)
    if len(free) != 27 or free[0] != 1 or len(form) != 6:
        raise WireError("handshake refused")
    try:
        now = seconds(
            unpack_bcd(free, 16, 2), unpack_bcd(free, 18, 1), unpack_bcd(free, 19, 1),
            unpack_bcd(free, 20, 1), unpack_bcd(free, 21, 1), unpack_bcd(free, 22, 1),
        )  # fmt: skip
        batch = unpack_bcd(form, 1, 3)
    except ValueError:
        raise WireError("handshake without a time or a batch")
    held = free[1] != 0
    return held, 0 if held else free[2] << 8 | free[3], batch, now, unpack_from(">I", free, 23)[0]


def heard(journal: Journal, now: int, batch: int) -> None:
    """Note when the host was heard, and the batch it wants open, if none is begun."""
    state = journal.state
    if abs(now - state.heard) >= _HEARD_S and journal.free >= AHEAD:  # seldom: the ring is for money
        journal.mark(layout.HEARD, now)
    state.heard = now
    if batch and batch != state.batch and state.closed == state.sequence:
        journal.mark(layout.BATCH, batch)
