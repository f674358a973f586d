# SPDX-License-Identifier: MIT
"""The first administrator's code: there is no default code, so it is set at first use. Loaded only for that."""

from micropython import const

from kassa.crypto.wipe import zero
from kassa.desk.operators import ADMINISTRATOR, Operators
from kassa.errors import FlashFault, SettingsError
from kassa.flows.session import Session

_SIX = const(6)
_WAIT_MS = const(60000)


async def administrator(session: Session, staff: Operators, by: int = 0) -> int:
    """Set the code of operator 99, who becomes administrator. `by`: the supervisor who has agreed, 0 = there is none.

    Returns the number, 0 if no code was set.
    """
    ui = session.ui
    lines = (ui.t("first_code_note"), ui.t("first_code_keep"))
    if await ui.message("ask", ui.t("first_code"), lines, "E=key_confirm C=key_back", _WAIT_MS) != ord("E"):
        return 0
    from kassa.flows.steps import enter_code, note_act

    code = bytearray(_SIX)
    try:
        if not await enter_code.chosen(session, "a", code):
            return 0
        staff.put(ADMINISTRATOR, "a", code)
    except (SettingsError, FlashFault):
        await ui.message("warn", ui.t("not_done"), (ui.t("fault_flash"),))
        return 0
    finally:
        zero(code)
    note_act.note(session, "first_code", by, ADMINISTRATOR)
    await ui.message("ok", ui.t("first_code_done", ADMINISTRATOR))
    return ADMINISTRATOR
