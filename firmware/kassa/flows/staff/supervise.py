# SPDX-License-Identifier: MIT
"""What a supervisor does with the terminal: a reversal that waits, a new batch, its parameters; sign-off."""

from micropython import const

from kassa import money
from kassa.desk.offline_limits import Limits
from kassa.flows.session import Session
from kassa.flows.steps import ask_supervisor
from kassa.vault.settings import settings

_NEVER = const(0xFFFF)


async def reversal(session: Session) -> None:
    """Send a reversal that waits now. Only the host's answer ends it: a reversal that is dropped may cost a customer money."""
    ui, status = session.ui, session.status
    if not status.reversing:
        await ui.message("ok", ui.t("clear_reversal"), (ui.t("reversal_none"),))
        return
    lines = (ui.t("home_reversing"), ui.t("reversal_kept"), ui.t("reversal_send"))
    if await ui.message("ask", ui.t("clear_reversal"), lines, "E=key_yes C=key_no") != ord("E"):
        return
    if not await ask_supervisor.allowed(session, "clear_reversal"):
        return
    from kassa.flows.manage import echo_test

    await echo_test.echo(session)  # it connects now, and a reversal goes first
    word = "reversal_waits" if status.reversing else "reversal_done"
    await ui.message("warn" if status.reversing else "ok", ui.t("clear_reversal"), (ui.t(word),))


async def new_batch(session: Session) -> None:
    """Close the batch, and begin the next one with the next number."""
    if await ask_supervisor.allowed(session, "new_batch"):
        from kassa.flows.batch.settle import settle

        await settle(session)


async def sign_off(session: Session) -> None:
    """Tell the host that the day is over."""
    if await ask_supervisor.allowed(session, "sign_off"):
        from kassa.flows.manage import echo_test

        await echo_test.sign_off(session)


async def parameters(session: Session) -> None:
    """The parameters that the host or provisioning has set."""
    if not await ask_supervisor.allowed(session, "parameters"):
        return
    ui, values = session.ui, session.settings
    t, none = ui.t, ui.t("test_none")
    limits, due = Limits(values.get(settings.LIMITS, b"")), values.get(settings.SETTLING, b"\xff\xff\x03\x84")
    floor = int.from_bytes(values.get(settings.OFFLINE_APPROVAL, bytes(6))[:6], "big")
    minute = due[0] << 8 | due[1]
    rows = [
        (t("par_largest"), money.text(session.till.largest) if session.till.largest else none),
        (t("par_one"), money.text(limits.payment) if limits.set else none),
        (t("par_sum"), money.text(limits.sum) if limits.set else none),
        (t("par_count"), str(limits.count) if limits.set else none),
        (t("par_heard"), "%d h" % limits.heard_hours if limits.set else none),
        (t("par_unsent"), "%d h" % limits.unsent_hours if limits.set else none),
        (t("par_floor"), money.text(floor) if floor else none),
        (t("par_settle"), none if minute == _NEVER else "%02d:%02d" % (minute // 60, minute % 60)),
        (t("par_full"), str(min(900, due[2] << 8 | due[3]))),
        (t("par_version"), str(int.from_bytes(values.get(settings.PARAMETERS, b"\0"), "big"))),
    ]
    await ui.list(t("parameters"), rows, choose=False)
