# SPDX-License-Identifier: MIT
"""Locks the terminal: nothing is sold until a supervisor logs in, whatever happens to its power."""

from kassa.desk.operators import LOCKED
from kassa.errors import FlashFault, SettingsError
from kassa.flows.session import Session


async def lock(session: Session) -> None:
    """Ask, then lock. Payments that wait are sent all the same."""
    from kassa.flows.steps import ask_supervisor

    ui = session.ui
    if await ui.message("ask", ui.t("lock_ask"), (ui.t("lock_note"),), "E=key_yes C=key_no") != ord("E"):
        return
    if not await ask_supervisor.allowed(session, "lock"):
        return
    try:
        session.settings.put({LOCKED: b"\x01"})
        session.operator = 0
    except (SettingsError, FlashFault):
        await ui.message("warn", ui.t("not_done"), (ui.t("fault_flash"),))
