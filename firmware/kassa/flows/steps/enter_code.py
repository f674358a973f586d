# SPDX-License-Identifier: MIT
"""Asks for an operator's code, and counts the try in flash before it is checked. Loaded only for that."""

from micropython import const

from kassa.crypto.wipe import zero
from kassa.desk.operators import digits
from kassa.errors import FlashFault
from kassa.flows.session import Session
from kassa.vault.settings.code_tries import Tries

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.desk.operators import Operators

_FREE = const(5)  # wrong tries without a pause
_LOCK = const(10)  # wrong tries until the code is locked
_PAUSE_S = const(30)  # after _FREE wrong tries; doubles with each
_SECOND_MS = const(1000)
_WIDTH = const(288)  # px, of the bar


async def right(session: Session, staff: "Operators", who: int, title: str) -> bool:
    """Ask until the code of operator `who` is right. Returns False after Cancel, if it is locked, or if flash fails."""
    ui, hint = session.ui, ""
    tries = Tries(session.settings, staff.key(who))
    while await _may_try(session, tries.count):
        code = bytearray(digits(staff.role(who)))
        try:
            if not await ui.code(title, len(code), code, hint):
                return False
            tries.begin()
            if staff.check(who, code):
                tries.right()
                return True
        except FlashFault:
            await ui.message("warn", ui.t("code_wrong"), (ui.t("fault_flash"),))
            return False
        finally:
            zero(code)
        hint = ui.t("code_wrong")
        if tries.count == _LOCK:
            from kassa.flows.steps import note_act

            note_act.note(session, "code_locked", who)
    return False


async def _may_try(session: Session, count: int) -> bool:
    """Wait after many wrong tries. Returns False if the code is locked, or the cashier does not wait."""
    ui = session.ui
    if count >= _LOCK:
        await ui.message("refuse", ui.t("code_locked"), (ui.t("code_locked_note"),))
        return False
    whole = _PAUSE_S << count - _FREE if count >= _FREE else 0
    for left in range(whole, 0, -1):
        line = ui.t("code_wait", left)
        await ui.show("refuse", ui.t("code_wrong"), (line,), "C=key_cancel", left=_WIDTH * left // whole)
        if await ui.key("C", _SECOND_MS):
            return False
    return True


async def chosen(session: Session, role: str, code: bytearray) -> int:
    """Ask twice for a new code, and fill `code` (ASCII). Returns its length, 0 after Cancel. The caller zeroes `code`."""
    ui, hint = session.ui, ""
    size = digits(role)
    again = bytearray(size)
    try:
        while True:
            if not await ui.code(ui.t("code_new"), size, code, hint):
                return 0
            if not await ui.code(ui.t("code_again"), size, again):
                return 0
            if again != code:
                hint = ui.t("code_differs")
            elif _easy(code):
                hint = ui.t("code_easy")
            else:
                return size
    finally:
        zero(again)


def _easy(code: bytearray) -> bool:
    """Whether each digit follows from the one before by the same step: 1111, 1234, 9876."""
    step = code[1] - code[0]
    for place in range(1, len(code)):
        if code[place] - code[place - 1] != step:
            return False
    return -2 < step < 2
