# SPDX-License-Identifier: MIT
"""The end of an operator's work at the till: logging out, and handing the till over. Payments that wait stay and are sent."""

from kassa import money
from kassa.desk.operators import NOBODY
from kassa.flows.session import Session


async def log_out(session: Session) -> None:
    """Back to the page on which an operator logs in."""
    await _leave(session, "log_out")


async def change(session: Session) -> None:
    """Hand the till over: the shift ends, and the next operator logs in."""
    await _leave(session, "shift")


async def _leave(session: Session, act: str) -> None:
    ui, state = session.ui, session.till.journal.state
    if session.operator == NOBODY:
        await ui.message("ask", ui.t(act), (ui.t("log_in_off"), ui.t("log_in_how")))
        return
    lines = [ui.t("operator_now", "%02d" % session.operator)]
    if state.count:
        lines += [ui.t("home_queue", state.count, money.text(state.sum)), ui.t("shift_waiting")]
    if await ui.message("ask", ui.t(act + "_ask"), lines, "E=key_yes C=key_no") != ord("E"):
        return
    from kassa.flows.steps import note_act

    why = note_act.note(session, act)
    if why:
        await ui.message("warn", ui.t("not_logged"), (ui.t(why),))
    session.operator = 0
