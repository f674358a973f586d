# SPDX-License-Identifier: MIT
"""The page on which an operator logs in, before the home page. Not shown in a shop without cashiers among its operators."""

from time import ticks_diff, ticks_ms

from micropython import const

from kassa import money
from kassa.desk import roles
from kassa.desk.operators import AWAY, LOCKED, NOBODY, Operators
from kassa.errors import FlashFault, SettingsError
from kassa.flows.session import Session

_MINUTE_MS = const(60000)


async def log_in(session: Session) -> None:
    """Ask for number and code once. `session.operator` is set if they are right, or if nobody needs to log in."""
    ui = session.ui
    staff = Operators(session.settings)
    if not staff.numbers():
        from kassa.flows.steps import first_code

        await first_code.administrator(session, staff)
        return
    locked = bool(session.settings.get(LOCKED, b""))
    if not locked and not staff.numbers("c"):
        _begin(session, NOBODY)
        return
    look_after(session)
    hint = ui.t("locked_hint" if locked else "log_in_hint")
    typed = await ui.number(ui.t("locked" if locked else "log_in"), 1, 2, hint, _waiting(session))
    if typed is None:
        return
    who = int(typed)
    if not staff.role(who):
        await ui.message("refuse", ui.t("no_operator", "%02d" % who))
    elif locked and not roles.may(staff.role(who), "unlock"):
        await ui.message("refuse", ui.t("locked"), (hint,))
    else:
        from kassa.flows.steps import enter_code

        if await enter_code.right(session, staff, who, ui.t("operator_code", "%02d" % who)):
            await _enter(session, staff, who, locked)


async def _enter(session: Session, staff: Operators, who: int, locked: bool) -> None:
    """Operator `who` begins. If the log of acts has no room, that is said, and the till works."""
    from kassa.flows.steps import note_act

    ui = session.ui
    _begin(session, who)
    why = note_act.note(session, "unlock" if locked else "log_in")
    if why:
        await ui.message("warn", ui.t("not_logged"), (ui.t(why),))
    if locked:
        try:
            session.settings.put({LOCKED: b""})
        except (SettingsError, FlashFault):
            session.operator = 0
            await ui.message("warn", ui.t("not_done"), (ui.t("fault_flash"),))
            return
        if not staff.numbers("c"):
            _begin(session, NOBODY)


def _begin(session: Session, who: int) -> None:
    """From now on operator `who` works here, and the records name them; with NOBODY they name 01, see docs/journal.md."""
    till, session.operator, session.ui.rested = session.till, who, 0
    till.draft.operator = 1 if who == NOBODY else who // 10 << 4 | who % 10
    till.journal.stage(till.draft)  # the next record may have been begun while somebody else worked here


def _waiting(session: Session) -> str:
    """How many payments wait to be sent; "" if none."""
    state = session.till.journal.state
    return session.ui.t("bar_queue", state.count, money.text(state.sum)) if state.count else ""


def look_after(session: Session) -> None:
    """Log out who has pressed no key for some minutes, on whatever page, and have acts sent that are not.

    Call it every minute or so, and after a page on which no key was pressed for a minute.
    """
    away, ui = session.settings.get(AWAY, b"\x05")[0] * _MINUTE_MS, session.ui
    rested, ui.rested = max(ui.rested, ticks_diff(ticks_ms(), ui.keypad.last_press)), 0
    if session.operator < NOBODY and 0 < away <= rested:
        session.operator = 0
    from kassa.flows.steps import note_act

    note_act.send(session)
