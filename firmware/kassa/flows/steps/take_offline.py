# SPDX-License-Identifier: MIT
"""Takes a payment offline: asks the supervisor if necessary, checks the card, and stores the payment."""

from micropython import const

from kassa import money
from kassa.errors import FlashFault, Refused
from kassa.flows.session import Session
from kassa.flows.steps.show_outcome import finish

_ANSWER_MS = const(30000)


async def agreed(session: Session, amount: int) -> bool:
    """Ask a supervisor to agree. Returns True, or raises Refused."""
    from kassa.flows.steps import ask_supervisor

    ui = session.ui
    lines = (ui.t("limit_restart"),)
    keys = "E=key_ok C=key_cancel"
    key = await ui.message("warn", ui.t("limit_title"), lines, keys, _ANSWER_MS, money.text(amount))
    if key != ord("E") or not await ask_supervisor.allowed(session, "offline"):
        raise Refused("limit_restart")
    return True


def check_card(session: Session, refusal: str) -> None:
    """Raise Refused if the card that was read may not be taken offline. `refusal`: from present_card.present."""
    if refusal:
        raise Refused(refusal)
    session.till.check_card(session.card().body)
    from kassa.flows.steps import exception_file

    try:
        if exception_file.is_listed(session):
            raise Refused("card_listed")
    except FlashFault:
        raise Refused("fault_flash")


async def take(session: Session, amount: int, agreed: bool, approved: bool, refusal: str) -> None:
    """Take the payment. `agreed`: by a supervisor. `approved`: by the card, which was authenticated. Raises Refused."""
    check_card(session, refusal)
    session.wipe_card(session.till.accept_offline(amount, session.card(), agreed, approved))
    if approved:
        session.status.set_pending(session.till.journal.state)
        await finish(session, "ok", "approved_card", [session.ui.t("approved_card_note")], amount)
    else:
        await accepted(session, amount)


async def accepted(session: Session, amount: int) -> None:
    """Show that the payment is stored in the journal, at the merchant's risk."""
    ui = session.ui
    session.status.set_pending(session.till.journal.state)
    await finish(session, "hold", "accepted", [ui.t("accepted_note"), ui.t("accepted_risk")], amount)
