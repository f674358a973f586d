# SPDX-License-Identifier: MIT
"""Asks for the supervisor's code. The code is zeroed as soon as it has been checked."""

import asyncio

from kassa.crypto.wipe import zero
from kassa.desk.supervisor_code import DIGITS, Supervisor
from kassa.flows.session import Session


async def allowed(session: Session) -> bool:
    """Ask until the code is right. Returns False after Cancel, or if no code was ever set."""
    ui = session.ui
    if session.supervisor is None:
        session.supervisor = Supervisor(session.settings)
    supervisor = session.supervisor
    hint = ""
    while supervisor.known():
        pause = supervisor.pause()
        if pause:
            await ui.show("refuse", ui.t("code_wrong"), (ui.t("code_wait", pause),))
            await asyncio.sleep(pause)
        code = bytearray(DIGITS)
        try:
            if not await ui.code(ui.t("code_title"), DIGITS, code, hint):
                return False
            if supervisor.check(code):
                return True
        finally:
            zero(code)
        hint = ui.t("code_wrong")
    return False
