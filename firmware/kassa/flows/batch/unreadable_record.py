# SPDX-License-Identifier: MIT
"""A payment in the journal that cannot be read: shows its number, and lets a supervisor give it up."""

from kassa.desk import write_off_unreadable
from kassa.flows.session import Session
from kassa.flows.steps import ask_supervisor


async def given_up(session: Session) -> bool:
    """Ask a supervisor to give up the unreadable payment. Returns False if not; it and the open batch stay as they are."""
    ui, journal = session.ui, session.till.journal
    lines = (ui.t("lost_number", journal.unreadable), ui.t("lost_note"), ui.t("lost_give_up"))
    if await ui.message("warn", ui.t("lost_title"), lines, "E=key_give_up C=key_back", fresh=True) != ord("E"):
        return False
    if not await ask_supervisor.allowed(session, "write_off"):
        return False
    write_off_unreadable.give_up(journal)
    session.status.set_pending(journal.state)
    return True
