# SPDX-License-Identifier: MIT
"""Refunds a payment of any day: its reference if it is known, a supervisor, the card, and the host's yes."""

from kassa import kinds, money
from kassa.flows.needs import need_host, need_supervisor, take_along
from kassa.flows.result import attempt
from kassa.flows.sale import read_card
from kassa.flows.shop import Shop
from kassa.money import pack_bcd

_REFERENCE = 0xDF04  # tag of ours: the RRN, 6 bytes BCD
_DIGITS = 12


async def refund(shop: Shop) -> None:
    """From the amount to the slip."""
    ui = shop.ui
    amount = await ui.amount(ui.t("amount_refund"), shop.till.largest)
    if amount is None:
        return
    reference = await ui.number(
        ui.t("refund_reference"), _DIGITS, _DIGITS, ui.t("refund_reference_hint"), money.text(amount), True
    )
    if reference is not None:
        await attempt(shop, amount, _refund(shop, amount, reference))


async def _refund(shop: Shop, amount: int, reference: str) -> None:
    need_host(shop)
    await need_supervisor(shop)
    if await read_card(shop, amount, True, 0x20) is None:
        return
    if reference:
        packed = bytearray(6)
        pack_bcd(int(reference), packed, 0, 6)
        take_along(shop, _REFERENCE, packed)
    from kassa.flows import authorise

    await authorise.request(shop, kinds.REFUND, amount, shop.arena)
