# SPDX-License-Identifier: MIT
"""A payment without the host: who must agree, what speaks against the card, and taking it."""

from micropython import const

from kassa import money
from kassa.errors import FlashFault, Refused
from kassa.flows.finish import finish
from kassa.flows.shop import Shop
from kassa.modules import forget_all

_ANSWER_MS = const(30000)


async def agreed(shop: Shop, amount: int) -> bool:
    """A supervisor agrees, True, or Refused is raised."""
    from kassa.flows import supervisor

    ui = shop.ui
    lines = (ui.t("limit_restart"),)
    keys = "E=key_ok C=key_cancel"
    key = await ui.message("warn", ui.t("limit_title"), lines, keys, _ANSWER_MS, money.text(amount))
    if key != ord("E") or not await supervisor.allowed(shop):
        raise Refused("limit_restart")
    return True


def check_card(shop: Shop, refusal: str) -> None:
    """What speaks against taking the card that was read, `refusal` of present.present first. Raises Refused."""
    if refusal:
        raise Refused(refusal)
    shop.till.check_card(shop.arena.body)
    from kassa.flows import excepted

    try:
        if excepted.excepted(shop):
            raise Refused("card_listed")
    except FlashFault:
        raise Refused("fault_flash")
    finally:
        del excepted
        forget_all(("flows.excepted", "vault.authorities", "vault.stoplist", "card.track2"))


async def take(shop: Shop, amount: int, agreed: bool, approved: bool, refusal: str) -> None:
    """Accept it; `approved`: by the card itself, and proven. Raises Refused."""
    check_card(shop, refusal)
    shop.till.accept_offline(amount, shop.arena, agreed, approved)
    shop.arena.wipe()
    if approved:
        shop.status.queue(shop.till.journal.state)
        await finish(shop, "ok", "approved_card", [shop.ui.t("approved_card_note")], amount)
    else:
        await accepted(shop, amount)


async def accepted(shop: Shop, amount: int) -> None:
    """It stands in the journal, at the merchant's risk: say so."""
    ui = shop.ui
    shop.status.queue(shop.till.journal.state)
    await finish(shop, "hold", "accepted", [ui.t("accepted_note"), ui.t("accepted_risk")], amount)
