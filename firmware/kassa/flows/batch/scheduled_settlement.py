# SPDX-License-Identifier: MIT
"""What the terminal does without being asked, between two customers: it settles the batch when that is due."""

from kassa.desk import scheduled_settlement
from kassa.flows.session import Session


async def settle(session: Session) -> bool:
    """Settle when the set time has come or the batch is nearly full, and the host can be asked. Whether it was tried."""
    due = session.connection.reachable() and scheduled_settlement.due(
        session.till.journal, session.settings, session.clock
    )
    if due:
        from kassa.flows.batch import settle as settling

        await settling.settle(session, False)
    return due
