# SPDX-License-Identifier: MIT
"""Sends the journal over the cable to the service tool, as safe mode does. It holds no readable card data."""

import asyncio

from micropython import const

from kassa.flows.session import Session

_LONG_MS = const(1800000)


async def export(session: Session) -> None:
    """Answer the service tool on the console until the administrator ends it."""
    from kassa.flows.steps import ask_supervisor

    ui = session.ui
    if not await ask_supervisor.allowed(session, "export_log"):
        return
    from kassa import journal_export

    serving = asyncio.create_task(journal_export.serve(session.till.journal.ring.flash, "", "menu", ""))
    lines = (ui.t("export_cable"), ui.t("export_sealed"))
    try:
        await ui.message("wait", ui.t("export_log"), lines, "C=key_end", _LONG_MS)
    finally:
        serving.cancel()
