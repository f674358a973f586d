# SPDX-License-Identifier: MIT
"""A payment without the host: who must agree, what speaks against the card, and taking it."""

from micropython import const

from kassa import money
from kassa.errors import FlashFault, Refused
from kassa.flows.session import Session
from kassa.flows.steps.outcome import finish

_ANSWER_MS = const(30000)


async def agreed(session: Session, amount: int) -> bool:
    """A supervisor agrees, True, or Refused is raised."""
    from kassa.flows.steps import supervisor

    ui = session.ui
    lines = (ui.t("limit_restart"),)
    keys = "E=key_ok C=key_cancel"
    key = await ui.message("warn", ui.t("limit_title"), lines, keys, _ANSWER_MS, money.text(amount))
    if key != ord("E") or not await supervisor.allowed(session):
        raise Refused("limit_restart")
    return True


def check_card(session: Session, refusal: str) -> None:
    """What speaks against taking the card that was read, `refusal` of present.present first. Raises Refused."""
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
    """Accept it; `approved`: by the card itself, and proven. Raises Refused."""
    check_card(session, refusal)
    session.till.accept_offline(amount, session.card(), agreed, approved)
    session.wipe_card()
    if approved:
        session.status.set_pending(session.till.journal.state)
        await finish(session, "ok", "approved_card", [session.ui.t("approved_card_note")], amount)
    else:
        await accepted(session, amount)


async def accepted(session: Session, amount: int) -> None:
    """It stands in the journal, at the merchant's risk: say so."""
    ui = session.ui
    session.status.set_pending(session.till.journal.state)
    await finish(session, "hold", "accepted", [ui.t("accepted_note"), ui.t("accepted_risk")], amount)
