# SPDX-License-Identifier: MIT
"""A card sale, from the amount to the receipt. What its steps need is in memory only meanwhile."""

from kassa.flows.result import ENDING, attempt, need_open
from kassa.flows.shop import Shop
from kassa.modules import forget_all

_READING = ("flows.present", "vault.authorities", "card.")
_KEPT = ("card.arena", "card.tlv")


async def sale(shop: Shop, first: int = 0) -> None:
    """Ask for an amount and take it. `first`: the key of a digit already pressed on the home page, 0 = none."""
    amount = await shop.ui.amount(shop.ui.t("amount_sale"), shop.till.largest, first)
    if amount is not None:
        await attempt(shop, amount, _take(shop, amount))


async def _take(shop: Shop, amount: int) -> None:
    till = shop.till
    till.check_amount(amount)
    need_open(shop)
    online = till.online_allowed() and shop.line.reachable()
    agreed = False
    if not online:
        till.check_offline(amount)
        if till.needs_supervisor:
            from kassa.flows import offline

            agreed = await offline.agreed(shop, amount)
            del offline
            forget_all(ENDING)
    card = await read_card(shop, amount, online)
    if card is None:
        return
    approved, refusal = card
    if online:
        from kassa.flows import authorise

        await authorise.authorise(shop, amount, refusal)
    else:
        from kassa.flows import offline

        await offline.take(shop, amount, agreed, approved, refusal)


async def read_card(shop: Shop, amount: int, online: bool, kind: int = 0) -> "tuple[bool, str] | None":
    """As present.present."""
    from kassa.flows import present

    try:
        return await present.present(shop, amount, online, kind)
    finally:
        del present
        forget_all(_READING, _KEPT)
