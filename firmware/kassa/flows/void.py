# SPDX-License-Identifier: MIT
"""Voids a payment of the open batch: choose it, a supervisor agrees, the host says yes. The card is not needed."""

from kassa import money
from kassa.desk.voidable import voidable
from kassa.errors import Refused
from kassa.flows.result import attempt
from kassa.flows.shop import Shop
from kassa.vault.layout import Record
from kassa.vault.reader import Reader


async def void(shop: Shop) -> None:
    """From the list of payments to the slip."""
    ui = shop.ui
    found = voidable(shop.till.journal)
    if not found:
        await ui.message("ask", ui.t("void"), (ui.t("void_none"),))
        return
    rows = [("%06d  %s" % (stan, last4), money.text(amount)) for _, stan, last4, amount in found]
    chosen = await ui.list(ui.t("void"), rows)
    if chosen is None:
        return
    sequence, stan, last4, amount = found[chosen]
    del found, rows
    await attempt(shop, amount, _void(shop, sequence, stan, last4, amount))


async def _void(shop: Shop, sequence: int, stan: int, last4: str, amount: int) -> None:
    from kassa.flows import supervisor

    ui, till = shop.ui, shop.till
    if till.journal.state.closing:
        raise Refused("settle_unfinished")
    if not till.online_allowed() or not shop.line.reachable():
        raise Refused("void_online")
    lines = (ui.t("void_which", "%06d" % stan, last4), ui.t("void_supervisor"))
    if await ui.message("ask", ui.t("void_ask"), lines, "E=key_yes C=key_no", amount=money.text(amount)) != ord("E"):
        return
    if not await supervisor.allowed(shop):
        raise Refused("void_supervisor")
    page = bytearray(256)
    if Reader(till.journal, sequence).read(page) != sequence or Record(page).stan != stan:
        raise Refused("void_gone")
    from kassa.flows import authorise

    mine = till.prepare_void(page)
    if await authorise.ask(shop, mine, amount):
        await authorise.tell(shop, amount, "voided")
    else:
        try:
            till.void_unsent(mine)
        finally:
            shop.courier.held = 0
        shop.status.queue(till.journal.state)
        raise Refused("void_online")
