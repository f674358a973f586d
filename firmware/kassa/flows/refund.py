# SPDX-License-Identifier: MIT
"""Refunds a payment of any day, the way it was paid; a supervisor agrees.

By card: its reference if it is known, the card, the host's yes. By code: its reference, and the wallet's yes. In cash.
"""

from micropython import const

from kassa import kinds, money
from kassa.desk import nocard
from kassa.flows.needs import need_host, need_supervisor, take_along
from kassa.flows.result import attempt, need_open
from kassa.flows.sale import read_card
from kassa.flows.shop import Shop
from kassa.money import pack_bcd

_REFERENCE = 0xDF04  # tag of ours: the RRN, 6 bytes BCD
_DIGITS = 12
_CARD, _CASH = const(0), const(2)


async def refund(shop: Shop) -> None:
    """From the question how it was paid to the slip."""
    ui = shop.ui
    how = await ui.menu(ui.t("refund_how"), [ui.t("refund_card"), ui.t("r_qr"), ui.t("r_cash")])
    if how is None:
        return
    amount = await ui.amount(ui.t("amount_refund"), shop.till.largest)
    if amount is None:
        return
    if how == _CASH:
        await attempt(shop, amount, _in_cash(shop, amount))
        return
    by_card = how == _CARD  # whose reference need not be known
    hint = ui.t("refund_reference_hint" if by_card else "refund_reference_code")
    reference = await ui.number(ui.t("refund_reference"), _DIGITS, _DIGITS, hint, money.text(amount), by_card)
    if reference is not None:
        await attempt(shop, amount, (_to_card if by_card else _to_wallet)(shop, amount, reference))


async def _to_card(shop: Shop, amount: int, reference: str) -> None:
    need_host(shop)
    await need_supervisor(shop)
    if await read_card(shop, amount, True, 0x20) is None:
        return
    if reference:
        take_along(shop, _REFERENCE, _packed(reference))
    from kassa.flows import authorise

    await authorise.request(shop, kinds.REFUND, amount, shop.arena)


async def _to_wallet(shop: Shop, amount: int, reference: str) -> None:
    need_host(shop)
    await need_supervisor(shop)
    from kassa.flows import authorise

    await authorise.request(shop, kinds.QR_REFUND, amount, nocard.referenced(_packed(reference)))


async def _in_cash(shop: Shop, amount: int) -> None:
    shop.till.check_amount(amount)
    need_open(shop)
    await need_supervisor(shop)
    from kassa.flows import cash

    await cash.give_back(shop, amount, nocard.cash())


def _packed(reference: str) -> bytearray:
    packed = bytearray(6)
    pack_bcd(int(reference), packed, 0, 6)
    return packed
