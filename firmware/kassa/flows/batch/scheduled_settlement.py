# SPDX-License-Identifier: MIT
"""Settles the batch automatically between customers, when it is due."""

from kassa.desk import settlement_due
from kassa.flows.session import Session


async def settle(session: Session) -> bool:
    """Settle if the scheduled time has come or the batch is nearly full, and the host is reachable. Returns whether it tried."""
    due = session.connection.reachable() and settlement_due.due(session.till.journal, session.settings, session.clock)
    if due:
        from kassa.flows.batch import settle as settling

        await settling.settle(session, False)
    return due
