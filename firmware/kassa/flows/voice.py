# SPDX-License-Identifier: MIT
"""A sale that was authorised by telephone (CUP: offline sale): the code that was told, the card, and it is taken."""

from kassa import kinds, money
from kassa.flows.needs import take_along
from kassa.flows.preauth import CODE, DIGITS
from kassa.flows.result import attempt, need_open
from kassa.flows.sale import read_card
from kassa.flows.shop import Shop
from kassa.vault import layout


async def voice(shop: Shop) -> None:
    """From the amount to the receipt."""
    ui = shop.ui
    amount = await ui.amount(ui.t("amount_voice"), shop.till.largest)
    if amount is None:
        return
    code = await ui.number(ui.t("voice_code"), DIGITS, DIGITS, ui.t("voice_code_hint"), money.text(amount))
    if code:
        await attempt(shop, amount, _take(shop, amount, code))


async def _take(shop: Shop, amount: int, code: str) -> None:
    need_open(shop)
    if await read_card(shop, amount, True) is None:
        return
    take_along(shop, CODE, code.encode())
    shop.till.take(layout.ACCEPTED, kinds.VOICE_SALE, amount, shop.arena)
    shop.arena.wipe()
    shop.status.queue(shop.till.journal.state)
    from kassa.flows.finish import finish

    lines = [shop.ui.t("auth_code", code), shop.ui.t("accepted_note")]
    await finish(shop, "hold", "accepted", lines, amount, code)
