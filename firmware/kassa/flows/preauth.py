# SPDX-License-Identifier: MIT
"""Pre-authorisation: money is held on the card; later it is taken (completion) or let go (cancel), of any day.

The completion and the cancel find what they are about by the card and the authorisation code on its slip.
"""

from kassa import kinds, money
from kassa.errors import Refused
from kassa.flows.needs import need_host, need_supervisor, take_along
from kassa.flows.result import attempt, need_open
from kassa.flows.sale import read_card
from kassa.flows.shop import Shop
from kassa.vault import layout

CODE = 0x89  # EMV: authorisation code, 6 characters
DIGITS = 6


async def preauth(shop: Shop) -> None:
    """Hold an amount on the card."""
    amount = await shop.ui.amount(shop.ui.t("amount_preauth"), shop.till.largest)
    if amount is not None:
        await attempt(shop, amount, _hold(shop, amount))


async def _hold(shop: Shop, amount: int) -> None:
    need_host(shop)
    if await read_card(shop, amount, True) is not None:
        from kassa.flows import authorise

        await authorise.request(shop, kinds.PREAUTH, amount, shop.arena)


async def cancel(shop: Shop) -> None:
    """Let go what a pre-authorisation holds."""
    await _later(shop, "amount_preauth_cancel", kinds.PREAUTH_CANCEL)


async def complete(shop: Shop) -> None:
    """Take the money that a pre-authorisation holds, or part of it."""
    await _later(shop, "amount_completion", kinds.COMPLETION)


async def _later(shop: Shop, title: str, kind: int) -> None:
    ui = shop.ui
    amount = await ui.amount(ui.t(title), shop.till.largest)
    if amount is None:
        return
    code = await ui.number(ui.t("preauth_code"), DIGITS, DIGITS, ui.t("preauth_code_hint"), money.text(amount))
    if code:
        await attempt(shop, amount, _settle(shop, amount, kind, code))


async def _settle(shop: Shop, amount: int, kind: int, code: str) -> None:
    ui = shop.ui
    try:
        need_host(shop)
    except Refused:
        need_open(shop)
        if kind != kinds.COMPLETION:
            raise
        lines = (ui.t("completion_advice_note"), ui.t("accepted_risk"))
        if await ui.message("ask", ui.t("completion_advice"), lines, "E=key_yes C=key_no") != ord("E"):
            raise
        kind = kinds.COMPLETION_ADVICE
    if kind == kinds.PREAUTH_CANCEL:
        await need_supervisor(shop)
    if await read_card(shop, amount, True) is None:
        return
    take_along(shop, CODE, code.encode())
    if kind != kinds.COMPLETION_ADVICE:
        from kassa.flows import authorise

        await authorise.request(shop, kind, amount, shop.arena)
        return
    shop.till.take(layout.ACCEPTED, kind, amount, shop.arena)
    shop.arena.wipe()
    from kassa.flows import offline

    await offline.accepted(shop, amount)
