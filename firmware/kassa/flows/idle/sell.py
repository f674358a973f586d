# SPDX-License-Identifier: MIT
"""A sale: asks for the amount, and the key that ends it says how it is paid."""

from kassa.flows.session import Session


async def sell(session: Session, first: int = 0) -> None:
    """The whole sale, from the amount to the receipt. `first`: a digit key pressed on the home page, 0 = none.

    E takes the amount from a card, U in cash, D by code; M adds it to a sale as a tip.
    """
    chosen = await _asked(session, first)
    if chosen is None:
        return
    amount, key = chosen
    if key == ord("E"):
        from kassa.flows.sale import card

        await card.sale(session, amount)
    elif key == ord("U"):
        from kassa.flows.sale import cash

        await cash.cash(session, amount)
    elif key == ord("D"):
        from kassa.flows.sale import qr

        await qr.scan(session, amount)
    else:
        from kassa.flows.reverse import adjust

        await adjust.tip(session, amount)


async def _asked(session: Session, first: int) -> "tuple[int, int] | None":
    from kassa.screens import amount

    return await amount.sale(session.ui, session.ui.t("amount_sale"), session.till.largest, first)
