# SPDX-License-Identifier: MIT
"""An operator changes their own code, with the old one."""

from kassa.crypto.wipe import zero
from kassa.desk.operators import NOBODY, Operators, digits
from kassa.flows.session import Session


async def change(session: Session) -> None:
    """Ask for the number (of who is not logged in), the old code and the new one twice."""
    ui, who = session.ui, session.operator
    staff = Operators(session.settings)
    if who == NOBODY:
        typed = await ui.number(ui.t("operator_number"), 1, 2, ui.t("operator_hint"), "")
        if typed is None:
            return
        who = int(typed)
    role = staff.role(who)
    if not role:
        await ui.message("refuse", ui.t("no_operator", "%02d" % who))
        return
    from kassa.flows.steps import enter_code

    if not await enter_code.right(session, staff, who, ui.t("code_old")):
        return
    code = bytearray(digits(role))
    try:
        if await enter_code.chosen(session, role, code):
            from kassa.flows.staff import operators

            await operators.store(session, staff, "own_code", who, who, role, code)
    finally:
        zero(code)
