# SPDX-License-Identifier: MIT
"""A card sale, from the amount to the receipt. What its steps need is in memory only meanwhile."""

from kassa.flows.session import Session
from kassa.flows.steps.outcome import ENDING, attempt, need_open
from kassa.overlay import forget_all

_READING = ("flows.steps.present_card", "vault.card_tables.authorities", "card.")
_KEPT = ("card.arena", "card.tlv")


async def sale(session: Session, first: int = 0) -> None:
    """Ask for an amount and take it. `first`: the key of a digit already pressed on the home page, 0 = none."""
    amount = await session.ui.amount(session.ui.t("amount_sale"), session.till.largest, first)
    if amount is not None:
        await attempt(session, amount, _take(session, amount))


async def _take(session: Session, amount: int) -> None:
    till = session.till
    till.check_amount(amount)
    need_open(session)
    online = till.online_allowed() and session.connection.reachable()
    agreed = False
    if not online:
        till.check_offline(amount)
        if till.needs_supervisor:
            from kassa.flows.steps import offline

            agreed = await offline.agreed(session, amount)
            del offline
            forget_all(ENDING)
    card = await read_card(session, amount, online)
    if card is None:
        return
    approved, refusal = card
    if online:
        from kassa.flows.steps import authorise

        await authorise.authorise(session, amount, refusal)
    else:
        from kassa.flows.steps import offline

        await offline.take(session, amount, agreed, approved, refusal)


async def read_card(session: Session, amount: int, online: bool, kind: int = 0) -> "tuple[bool, str] | None":
    """As present.present."""
    from kassa.flows.steps import present_card

    try:
        return await present_card.present(session, amount, online, kind)
    finally:
        del present_card
        forget_all(_READING, _KEPT)
