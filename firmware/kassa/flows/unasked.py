# SPDX-License-Identifier: MIT
"""What the terminal does without being asked, between two customers: it settles the batch when that is due."""

from kassa.desk import schedule
from kassa.flows.shop import Shop
from kassa.modules import forget


async def settle(shop: Shop) -> bool:
    """Settle when the set time has come or the batch is nearly full, and the host can be asked. Whether it was tried."""
    due = shop.line.reachable() and schedule.due(shop.till.journal, shop.settings, shop.clock)
    forget("kassa.desk.schedule")
    if due:
        from kassa.flows import settle as settling

        await settling.settle(shop, False)
    return due
