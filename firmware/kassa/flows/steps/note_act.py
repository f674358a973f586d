# SPDX-License-Identifier: MIT
"""Adds what somebody did to the log of acts. Loaded only for that.

The courier sends it while the till rests: during a sale there is no memory to spare for it.
"""

from micropython import const

from kassa.desk import roles
from kassa.errors import FlashFault, JournalFull
from kassa.flows.session import Session
from kassa.vault.settings.acts import Acts

_SEND = const(8)  # the processing request for it, as for a table of the host: see uplink/management.py


def note(session: Session, act: str, by: int = 0, about: int = 0) -> str:
    """Log an act. `by`: who allowed it, 0 = who is logged in. `about`: another number. Returns "" or why it is not logged."""
    who = session.operator
    try:
        time, state = session.clock.now(), session.till.journal.state
        Acts(session.settings).add(roles.number(act), who, by or who, about, state.sequence, time)
    except JournalFull:
        return "acts_full"
    except FlashFault:
        return "fault_flash"
    return ""


def send(session: Session) -> None:
    """Have the courier send what the host does not have. Call it now and then while the till rests."""
    acts, wanted = Acts(session.settings), session.courier.damaged_tables
    if acts.serial > acts.sent and _SEND not in wanted:
        wanted.append(_SEND)
        session.status.changed()
