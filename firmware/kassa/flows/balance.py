# SPDX-License-Identifier: MIT
"""Asks the issuer what is left on a card. No money moves."""

from kassa import kinds, money
from kassa.errors import Refused
from kassa.flows.needs import need_host
from kassa.flows.result import attempt
from kassa.flows.sale import read_card
from kassa.flows.shop import Shop
from kassa.uplink import answers
from kassa.vault import layout

_ONE = 20  # bytes of one amount in DE 54: account 2, type 2, currency 3, C or D, amount 12


async def balance(shop: Shop) -> None:
    """From the card to the figure on the screen."""
    await attempt(shop, 0, _ask(shop))


async def _ask(shop: Shop) -> None:
    need_host(shop)
    if await read_card(shop, 0, True, 0x31) is None:
        return
    from kassa.flows import authorise

    sequence = shop.till.take(layout.INTENT, kinds.BALANCE, 0, shop.arena)
    shop.arena.wipe()
    if not await authorise.ask(shop, sequence, 0):
        authorise.give_back(shop, sequence)
        raise Refused("only_online")
    outcome = shop.courier.outcome
    left = _left(outcome.balance) if outcome.kind == answers.YES else None
    if left is None:
        await authorise.tell(shop, 0)
    else:
        await shop.ui.message("ok", shop.ui.t("balance"), (), "E=key_ok", 30000, money.text(left), fresh=True)


def _left(amounts: bytes) -> int | None:
    """Minor units of the first amount, below zero for a debt; None when there is none that can be read."""
    sign, digits = amounts[7:8], amounts[8:_ONE]
    if len(digits) != 12 or sign not in (b"C", b"D") or not digits.isdigit():
        return None
    return int(digits) if sign == b"C" else -int(digits)
