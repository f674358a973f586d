# SPDX-License-Identifier: MIT
"""Permission for an act: of who is logged in, or else of somebody who may, by number and code, this once."""

from kassa.desk import roles
from kassa.desk.operators import Operators
from kassa.flows.session import Session


async def allowed(session: Session, act: str) -> bool:
    """Whether somebody who may do `act` (desk/roles.py) agrees. It is then in the log of acts."""
    by = await permitted_by(session, act)
    if not by:
        return False
    from kassa.flows.steps import note_act

    why, ui = note_act.note(session, act, by), session.ui
    if why:
        await ui.message("warn", ui.t("not_done"), (ui.t(why),))
    return not why


async def permitted_by(session: Session, act: str) -> int:
    """The number of who may do `act` and agrees, 0 = nobody. The caller logs the act."""
    staff = Operators(session.settings)
    if roles.may(staff.role(session.operator), act):
        return session.operator
    return await _somebody(session, staff, act)


async def _somebody(session: Session, staff: Operators, act: str) -> int:
    """The number of somebody who may and who agrees, 0 = nobody. With only one such operator the number is not asked for."""
    ui = session.ui
    who, hint = staff.numbers(roles.holders(act)), ""
    title = "code_title" if roles.may("s", act) else "code_administrator"
    if not who and staff.numbers("s"):
        by = await permitted_by(session, "first_code")
        if not by:
            return 0
        from kassa.flows.steps import first_code

        return await first_code.administrator(session, staff, by)
    from kassa.flows.steps import enter_code

    while len(who) > 1:
        typed = await ui.number(ui.t(title), 1, 2, hint or ui.t("operator_hint"), "")
        if typed is None:
            return 0
        if int(typed) in who:
            who = [int(typed)]
        hint = ui.t("operator_may_not")
    return who[0] if who and await enter_code.right(session, staff, who[0], ui.t(title)) else 0
