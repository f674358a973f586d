# SPDX-License-Identifier: MIT
"""For ever: the resting page, and the way into a sale or the menu."""

from time import ticks_diff, ticks_ms

from kassa import status
from kassa.flows.sale.card import sale
from kassa.flows.session import Session
from kassa.overlay import forget, forget_all

# What the transactions of the menu need in memory meanwhile, and what of it stays.
_OTHERS = ("flows.", "desk.disposition", "desk.originals", "desk.cardless_body", "screens.qr")
_KEPT = ("flows.idle.main_loop", "flows.sale.card", "flows.steps.outcome", "flows.session")
_AGAIN_MS = 1800000  # after which what could not be settled unasked is tried again: each try may print a slip


async def run(session: Session) -> None:
    """For ever: rest, then do what the first key asks for. A quarantine is told once on a page of its own."""
    held = False
    tried = None  # when the batch was last settled unasked
    while True:
        from kassa.flows.idle import home_page

        if home_page.is_held(session) != held:
            held = not held
            if held:
                await home_page.tell_held(session)
        if tried is not None and not 0 <= ticks_diff(ticks_ms(), tried) < _AGAIN_MS:
            tried = None
        if tried is None and session.status.link >= status.LINK_WIFI:
            from kassa.flows.batch import scheduled_settlement

            tried = ticks_ms() if await scheduled_settlement.settle(session) else None
            del scheduled_settlement
        key = await home_page.rest(session, held)
        del home_page
        forget_all(_OTHERS, _KEPT)
        if key == ord("M"):
            await _menu(session)
        elif key == ord("E"):
            await sale(session)
        elif key > ord("0"):
            await sale(session, key)
        elif not key:
            await _look_after(session)


async def _look_after(session: Session) -> None:
    """After a minute without a key: chips that lost their power meanwhile are set up again."""
    session.ui.restore()
    await session.reader.check()


async def _menu(session: Session) -> None:
    """The menu, and what was chosen there; neither is kept in memory."""
    from kassa.flows.idle import main_menu

    chosen = await main_menu.menu(session)
    del main_menu
    forget_all(_OTHERS, _KEPT)
    if chosen == "sale":
        await sale(session)
    elif chosen == "void":
        from kassa.flows.reverse import void

        await void.void(session)
        forget_all(_OTHERS, _KEPT)
    elif chosen == "others":
        from kassa.flows.idle import other_transactions

        flow = await other_transactions.choose(session)
        del other_transactions
        forget("kassa.flows.idle.other_transactions")
        if flow is not None:
            await flow(session)
            forget_all(_OTHERS, _KEPT)
    elif chosen == "settle":
        from kassa.flows.batch import settle

        await settle.settle(session)
        forget_all(_OTHERS, _KEPT)
        forget("kassa.desk.unreadable_record")
