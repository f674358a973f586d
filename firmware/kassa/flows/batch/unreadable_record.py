# SPDX-License-Identifier: MIT
"""A payment in the journal that cannot be read: told by its number, until a supervisor gives it up."""

from kassa.desk import unreadable_record
from kassa.flows.session import Session
from kassa.flows.steps import supervisor


async def given_up(session: Session) -> bool:
    """Whether a supervisor gave up what cannot be read; else it stays as it is, and the batch stays open."""
    ui, journal = session.ui, session.till.journal
    lines = (ui.t("lost_number", journal.unreadable), ui.t("lost_note"), ui.t("lost_give_up"))
    if await ui.message("warn", ui.t("lost_title"), lines, "E=key_give_up C=key_back", fresh=True) != ord("E"):
        return False
    if not await supervisor.allowed(session):
        return False
    unreadable_record.give_up(journal)
    session.status.set_pending(journal.state)
    return True
