# SPDX-License-Identifier: MIT
"""Voids a payment of the open batch: choose it, a supervisor agrees, the host says yes. The card is not needed."""

from micropython import const

from kassa import kinds, money
from kassa.desk import nocard
from kassa.flows.named import choose, page_of
from kassa.flows.needs import need_host, need_supervisor
from kassa.flows.result import attempt
from kassa.flows.shop import Shop

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.desk.named import Named

_COMPLETIONS = (kinds.COMPLETION, kinds.COMPLETION_ADVICE)
_VOIDABLE = (kinds.SALE, kinds.VOICE_SALE) + _COMPLETIONS


async def void(shop: Shop) -> None:
    """From the list of payments to the slip."""
    one = await choose(shop, "void", "void_none", _VOIDABLE)
    if one is not None:
        await attempt(shop, one.amount, _void(shop, one))


async def _void(shop: Shop, one: "Named") -> None:
    ui = shop.ui
    need_host(shop)
    lines = (ui.t("void_which", "%06d" % one.stan, one.last4), ui.t("void_supervisor"))
    amount = money.text(one.amount)
    if await ui.message("ask", ui.t("void_ask"), lines, "E=key_yes C=key_no", amount=amount) != ord("E"):
        return
    await need_supervisor(shop)
    back, page = page_of(shop, one)
    from kassa.flows import authorise

    kind = kinds.COMPLETION_VOID if one.kind in _COMPLETIONS else kinds.VOID
    await authorise.request(shop, kind, one.amount, nocard.about(page), back)
