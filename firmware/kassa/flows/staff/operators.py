# SPDX-License-Identifier: MIT
"""The operators: their list, new ones, new codes, and those who have left."""

from micropython import const

from kassa.crypto.wipe import zero
from kassa.desk.operators import NOBODY, Operators, digits
from kassa.errors import FlashFault, Refused, SettingsError
from kassa.flows.session import Session

_ROLES = const("csa")


async def show(session: Session) -> None:
    """The list of operators with their roles."""
    from kassa.flows.steps import ask_supervisor

    if not await ask_supervisor.allowed(session, "operators"):
        return
    ui, staff = session.ui, Operators(session.settings)
    rows = [("%02d" % who, ui.words.get("role_" + staff.role(who))) for who in staff.numbers()]
    await ui.list(ui.t("operators"), rows, choose=False)


async def add(session: Session) -> None:
    """A new operator: number, role, and a code that they type themselves."""
    by = await _permitted(session, "add_operator")
    if not by:
        return
    ui, staff = session.ui, Operators(session.settings)
    who = await _number(session, "add_operator")
    if staff.role(who):
        await ui.message("refuse", ui.t("operator_taken", "%02d" % who))
    elif who:
        chosen = await ui.menu(ui.t("operator_role", "%02d" % who), [ui.t("role_%s" % role) for role in _ROLES])
        if chosen is not None:
            await _new_code(session, staff, "add_operator", by, who, _ROLES[chosen])


async def reset_cashier(session: Session) -> None:
    """A new code for a cashier who has forgotten theirs."""
    await _reset(session, "reset_cashier", "c")


async def reset(session: Session) -> None:
    """A new code for any operator."""
    await _reset(session, "reset_code", _ROLES)


async def _reset(session: Session, act: str, of: str) -> None:
    by = await _permitted(session, act)
    who = await _known(session, act, of) if by else 0
    if who:
        staff = Operators(session.settings)
        await _new_code(session, staff, act, by, who, staff.role(who))


async def remove(session: Session) -> None:
    """Remove an operator who has left. Their acts stay in the log."""
    by = await _permitted(session, "remove_operator")
    who = await _known(session, "remove_operator", _ROLES) if by else 0
    if not who:
        return
    ui, staff = session.ui, Operators(session.settings)
    line = "%02d  %s" % (who, ui.words.get("role_" + staff.role(who)))
    if await ui.message("ask", ui.t("remove_ask"), (line,), "E=key_yes C=key_no", fresh=True) == ord("E"):
        await store(session, staff, "remove_operator", by, who)


async def _permitted(session: Session, act: str) -> int:
    from kassa.flows.steps import ask_supervisor

    return await ask_supervisor.permitted_by(session, act)


async def _number(session: Session, title: str) -> int:
    """Ask for an operator's number, 1 to 99. Returns 0 after Cancel."""
    ui, hint = session.ui, "operator_hint"
    while True:
        typed = await ui.number(ui.t(title), 1, 2, ui.t(hint), "")
        if typed is None or int(typed):
            return int(typed or "0")
        hint = "operator_from_1"


async def _known(session: Session, title: str, of: str) -> int:
    """Ask for the number of an operator with one of the roles `of`. Returns 0 if there is none, or after Cancel."""
    ui = session.ui
    who = await _number(session, title)
    role = Operators(session.settings).role(who)
    if role and role in of:
        return who
    if who:
        await ui.message("refuse", ui.t("operator_other" if role else "no_operator", "%02d" % who))
    return 0


async def _new_code(session: Session, staff: Operators, act: str, by: int, who: int, role: str) -> None:
    from kassa.flows.steps import enter_code

    code = bytearray(digits(role))
    try:
        if await enter_code.chosen(session, role, code):
            await store(session, staff, act, by, who, role, code)
    finally:
        zero(code)


async def store(
    session: Session, staff: Operators, act: str, by: int, who: int, role: str = "", code: bytearray | None = None
) -> None:
    """Log the act, then store operator `who` with role and code, or remove `who` (no role); and say what holds now."""
    from kassa.flows.steps import note_act

    ui = session.ui
    why = note_act.note(session, act, by, who)
    lines = [ui.t(why)] if why else []
    try:
        if not why:
            staff.put(who, role, code) if code else staff.remove(who)
    except Refused as refused:
        lines = [ui.t(refused.key, *refused.values)]
    except (SettingsError, FlashFault):
        lines = [ui.t("fault_flash")]
    if lines:
        await ui.message("warn", ui.t("not_done"), lines)
        return
    if session.operator in (NOBODY, who) and act != "own_code":
        session.operator = 0  # perhaps cashiers log in from now on, or no more
    await ui.message("ok", ui.t(act + "_done" if code else "removed", "%02d" % who))
