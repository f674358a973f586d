# SPDX-License-Identifier: MIT
"""Cash: a sale, with what the customer gave and the change; and money back. The host is told of both when it can be."""

from kassa import kinds, money
from kassa.desk import nocard
from kassa.flows.result import attempt, need_open
from kassa.flows.shop import Shop
from kassa.vault import layout


async def cash(shop: Shop) -> None:
    """From the amount to the receipt."""
    ui = shop.ui
    amount = await ui.amount(ui.t("amount_cash"), shop.till.largest)
    if amount is None:
        return
    title, due = ui.t("amount_given"), money.text(amount)
    given = await ui.amount(title, note=ui.t("amount_due", due))
    while given is not None and given < amount:
        given = await ui.amount(title, note=ui.t("cash_short", due))
    if given is None:
        return
    await attempt(shop, amount, _take(shop, amount, given - amount))


async def _take(shop: Shop, amount: int, change: int) -> None:
    shop.till.check_amount(amount)
    need_open(shop)
    shop.till.take(layout.ACCEPTED, kinds.CASH, amount, nocard.cash())
    shop.status.queue(shop.till.journal.state)
    from kassa.flows.finish import finish

    await finish(shop, "ok", "cash_taken", [shop.ui.t("cash_change", money.text(change))], amount)


async def give_back(shop: Shop, amount: int, source: nocard.NoCard, back: int = 0) -> None:
    """Money back, to which a supervisor agreed. `source`, `back`: of the cash sale that is voided, see Till.take."""
    shop.till.take(layout.ACCEPTED, kinds.CASH_REFUND, amount, source, back)
    shop.status.queue(shop.till.journal.state)
    from kassa.flows.finish import finish

    await finish(shop, "ok", "cash_returned", [shop.ui.t("cash_returned_note")], amount)
