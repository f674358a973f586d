# SPDX-License-Identifier: MIT
"""A payment in the journal that cannot be read: told by its number, until a supervisor gives it up."""

from kassa.desk import lost
from kassa.flows import supervisor
from kassa.flows.shop import Shop


async def given_up(shop: Shop) -> bool:
    """Whether a supervisor gave up what cannot be read; else it stays as it is, and the batch stays open."""
    ui, journal = shop.ui, shop.till.journal
    lines = (ui.t("lost_number", journal.unreadable), ui.t("lost_note"), ui.t("lost_give_up"))
    if await ui.message("warn", ui.t("lost_title"), lines, "E=key_give_up C=key_back", fresh=True) != ord("E"):
        return False
    if not await supervisor.allowed(shop):
        return False
    lost.give_up(journal)
    shop.status.queue(journal.state)
    return True
