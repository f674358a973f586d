# SPDX-License-Identifier: MIT
"""The handshake: what the terminal shows, and what the host answers: time, batch, epoch, quarantine."""

from struct import pack_into, unpack_from

from micropython import const

from kassa import VERSION
from kassa.calendar import seconds
from kassa.errors import WireError
from kassa.money import unpack_bcd
from kassa.uplink.iso8583 import Answer
from kassa.vault.journal import layout
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.layout import State
from kassa.vault.journal.ring import AHEAD

_HEARD_S = const(600)  # HEARD is written at most once in this time
_QUARTER = const(900)  # seconds: the unit of the time zone


def form(state: State, head: bytearray) -> bytearray:
    """DE 62 of 0800: format version, epoch, newest sequence and its seal tag, pending count, firmware version (ASCII)."""
    free = bytearray(17)
    pack_into(">BHI", free, 0, 1, state.epoch, state.sequence)
    free[7:15] = head
    pack_into(">H", free, 15, state.count)
    free.extend(VERSION.encode())
    return free


def read(answer: Answer) -> tuple[bool, int, int, int, int, int, int]:
    """(quarantined, epoch, batch, local time, its seconds ahead of UTC, highest counter the host has seen, and the sequence
    above which the host is behind and wants every record again, -1 = it is not) from an 0810.

    In quarantine the epoch is 0. The time is in seconds since 2000-01-01. Raises WireError if a field is missing or
    malformed.
    """
    free, form = answer.get(62), answer.get(60)
    if len(free) != 28 or free[0] != 1 or len(form) != 6:
        raise WireError("handshake refused")
    try:
        now = seconds(
            unpack_bcd(free, 16, 2), unpack_bcd(free, 18, 1), unpack_bcd(free, 19, 1),
            unpack_bcd(free, 20, 1), unpack_bcd(free, 21, 1), unpack_bcd(free, 22, 1),
        )  # fmt: skip
        batch = unpack_bcd(form, 1, 3)
    except ValueError:
        raise WireError("handshake without a time or a batch")
    quarantined = free[1] & 1 != 0
    after = unpack_from(">I", free, 4)[0] if free[1] & 2 else -1
    counter, quarters = unpack_from(">Ib", free, 23)
    return quarantined, 0 if quarantined else free[2] << 8 | free[3], batch, now, quarters * _QUARTER, counter, after


def heard(journal: Journal, now: int, batch: int) -> None:
    """Store when the host was heard and, if the open batch is empty, the number that the host wants for it."""
    state = journal.state
    if abs(now - state.heard) >= _HEARD_S and journal.free >= AHEAD:  # rarely: the journal needs its space for payments
        journal.mark(layout.HEARD, now)
    state.heard = now
    if batch and batch != state.batch and state.closed == state.sequence:
        journal.mark(layout.BATCH, batch)
