# SPDX-License-Identifier: MIT
"""For ever: the resting page, and the way into a sale or the menu."""

from time import ticks_diff, ticks_ms

from kassa import status
from kassa.flows.sale import sale
from kassa.flows.shop import Shop
from kassa.modules import forget, forget_all

# What the transactions of the menu need in memory meanwhile, and what of it stays.
_OTHERS = ("flows.", "desk.fate", "desk.named", "desk.nocard", "screens.qr", "kinds")
_KEPT = ("flows.home", "flows.sale", "flows.result", "flows.shop")
_AGAIN_MS = 1800000  # after which what could not be settled unasked is tried again: each try may print a slip


async def run(shop: Shop) -> None:
    """For ever: rest, then do what the first key asks for. A quarantine is told once on a page of its own."""
    held = False
    tried = None  # when the batch was last settled unasked
    while True:
        from kassa.flows import resting

        if resting.is_held(shop) != held:
            held = not held
            if held:
                await resting.tell_held(shop)
        if tried is not None and not 0 <= ticks_diff(ticks_ms(), tried) < _AGAIN_MS:
            tried = None
        if tried is None and shop.status.link >= status.LINK_WIFI:
            from kassa.flows import unasked

            tried = ticks_ms() if await unasked.settle(shop) else None
            del unasked
        key = await resting.rest(shop, held)
        del resting
        forget_all(_OTHERS, _KEPT)
        if key == ord("M"):
            await _menu(shop)
        elif key == ord("E"):
            await sale(shop)
        elif key > ord("0"):
            await sale(shop, key)
        elif not key:
            await _look_after(shop)


async def _look_after(shop: Shop) -> None:
    """After a minute without a key: chips that lost their power meanwhile are set up again."""
    shop.ui.restore()
    await shop.reader.check()


async def _menu(shop: Shop) -> None:
    """The menu, and what was chosen there; neither is kept in memory."""
    from kassa.flows import menu

    chosen = await menu.menu(shop)
    del menu
    forget_all(_OTHERS, _KEPT)
    if chosen == "sale":
        await sale(shop)
    elif chosen == "void":
        from kassa.flows import void

        await void.void(shop)
        forget_all(_OTHERS, _KEPT)
    elif chosen == "others":
        from kassa.flows import others

        flow = await others.choose(shop)
        del others
        forget("kassa.flows.others")
        if flow is not None:
            await flow(shop)
            forget_all(_OTHERS, _KEPT)
    elif chosen == "settle":
        from kassa.flows import settle

        await settle.settle(shop)
        forget_all(_OTHERS, _KEPT)
        forget("kassa.desk.lost")
