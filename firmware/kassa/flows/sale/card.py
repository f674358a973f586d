# SPDX-License-Identifier: MIT
"""A card sale, from the tap to the receipt."""

from kassa.flows.session import Session
from kassa.flows.steps.read_card import read_card
from kassa.flows.steps.requirements import need_open
from kassa.flows.steps.show_outcome import attempt


async def sale(session: Session, amount: int) -> None:
    """Take an amount from a card, to the receipt."""
    await attempt(session, amount, _take(session, amount))


async def _take(session: Session, amount: int) -> None:
    till = session.till
    till.check_amount(amount)
    need_open(session)
    online = till.online_allowed() and session.connection.reachable()
    agreed = False
    if not online:
        till.check_offline(amount)
        agreed = till.needs_supervisor and await _agreed(session, amount)
    card = await read_card(session, amount, online)
    if card is None:
        return
    approved, refusal = card
    if online:
        from kassa.flows.steps import authorise

        await authorise.authorise(session, amount, refusal)
    else:
        from kassa.flows.steps import take_offline

        await take_offline.take(session, amount, agreed, approved, refusal)


async def _agreed(session: Session, amount: int) -> bool:
    from kassa.flows.steps import take_offline

    return await take_offline.agreed(session, amount)
