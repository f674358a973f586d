# SPDX-License-Identifier: MIT
"""Adds a tip to a sale of the open batch, or corrects one that was authorised by telephone: an advice with the new amount."""

from micropython import const

from kassa import kinds, money
from kassa.desk import nocard
from kassa.flows.named import choose, page_of
from kassa.flows.needs import need_supervisor
from kassa.flows.result import attempt, need_open
from kassa.flows.shop import Shop
from kassa.vault import layout

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.desk.named import Named

_TIP_PERCENT = 20  # at most, of the sale


async def tip(shop: Shop) -> None:
    """Choose the sale, then type the tip."""
    one = await choose(shop, "tip", "adjust_none", (kinds.SALE,), True)
    if one is None:
        return
    ui = shop.ui
    most = one.amount * _TIP_PERCENT // 100
    note = ui.t("amount_tip_note", money.text(one.amount), money.text(most))
    more = await ui.amount(ui.t("amount_tip"), most, note=note)
    if more is not None:
        await attempt(shop, one.amount + more, _adjust(shop, kinds.TIP, one, one.amount + more))


async def adjust(shop: Shop) -> None:
    """Choose the sale, then type what it should have been; a supervisor agrees."""
    one = await choose(shop, "adjust", "adjust_none", (kinds.VOICE_SALE,), True)
    if one is None:
        return
    ui = shop.ui
    was = ui.t("adjust_from", money.text(one.amount))
    amount = await ui.amount(ui.t("amount_adjust"), shop.till.largest, note=was)
    if amount is not None:
        await attempt(shop, amount, _adjust(shop, kinds.ADJUST, one, amount))


async def _adjust(shop: Shop, kind: int, one: "Named", amount: int) -> None:
    ui = shop.ui
    need_open(shop)
    shop.till.check_amount(amount)
    lines = (ui.t("adjust_from", money.text(one.amount)), ui.t("void_which", "%06d" % one.stan, shop.paid_with(one)))
    asked = await ui.message("ask", ui.t("adjust_ask"), lines, "E=key_yes C=key_no", amount=money.text(amount))
    if asked != ord("E"):
        return
    if kind == kinds.ADJUST:
        await need_supervisor(shop)
    back, page = page_of(shop, one)
    shop.till.take(layout.ACCEPTED, kind, amount, nocard.about(page), back)
    shop.status.queue(shop.till.journal.state)
    from kassa.flows.finish import finish

    lines = [ui.t("adjust_from", money.text(one.amount)), ui.t("accepted_note")]
    await finish(shop, "hold", "accepted", lines, amount)
