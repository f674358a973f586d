# SPDX-License-Identifier: MIT
"""Voids a payment of the open batch: choose it, a supervisor agrees, the host says yes. The card is not needed.

One by code is given back by its wallet; cash leaves the drawer, and the host is told when it can be.
"""

from micropython import const

from kassa import kinds, money
from kassa.desk import nocard
from kassa.flows.named import choose, page_of
from kassa.flows.needs import need_host, need_supervisor
from kassa.flows.result import attempt, need_open
from kassa.flows.shop import Shop

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.desk.named import Named

_TAKEN_BACK_BY = {
    kinds.SALE: kinds.VOID,
    kinds.VOICE_SALE: kinds.VOID,
    kinds.COMPLETION: kinds.COMPLETION_VOID,
    kinds.COMPLETION_ADVICE: kinds.COMPLETION_VOID,
    kinds.QR_SCANNED: kinds.QR_REFUND,
    kinds.QR_SHOWN: kinds.QR_REFUND,
    kinds.CASH: kinds.CASH_REFUND,
}


async def void(shop: Shop) -> None:
    """From the list of payments to the slip."""
    one = await choose(shop, "void", "void_none", tuple(_TAKEN_BACK_BY))
    if one is not None:
        await attempt(shop, one.amount, _void(shop, one, _TAKEN_BACK_BY[one.type]))


async def _void(shop: Shop, one: "Named", kind: int) -> None:
    ui = shop.ui
    if kind == kinds.CASH_REFUND:
        need_open(shop)
    else:
        need_host(shop)
    lines = (ui.t("void_which", "%06d" % one.stan, shop.paid_with(one)), ui.t("void_supervisor"))
    amount = money.text(one.amount)
    if await ui.message("ask", ui.t("void_ask"), lines, "E=key_yes C=key_no", amount=amount) != ord("E"):
        return
    await need_supervisor(shop)
    back, page = page_of(shop, one)
    if kind == kinds.CASH_REFUND:
        from kassa.flows import cash

        await cash.give_back(shop, one.amount, nocard.about(page), back)
    else:
        from kassa.flows import authorise

        await authorise.request(shop, kind, one.amount, nocard.about(page), back)
