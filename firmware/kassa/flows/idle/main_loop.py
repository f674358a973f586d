# SPDX-License-Identifier: MIT
"""The cashier's main loop: from the home page to a sale or the menu and back, until power-off."""

from time import ticks_diff, ticks_ms

from micropython import const

from kassa import overlay, status
from kassa.flows.session import Session

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.flows.session import Flow

_MINUTE_MS = const(60000)
_AGAIN_MS = 1800000  # wait before a failed scheduled settlement is tried again; each attempt may print a slip


async def run(session: Session) -> None:
    """Show the home page, start what the first key selects, and repeat. A new quarantine is announced on its own page."""
    quarantined = False
    tried = None  # ticks of the last scheduled settlement
    while True:
        if session.ui.rested >= _MINUTE_MS:  # on a page that stays: who worked here may have gone
            _look_after_operator(session)
        overlay.enter("idle")
        quarantined = await _announced(session, quarantined)
        if tried is not None and not 0 <= ticks_diff(ticks_ms(), tried) < _AGAIN_MS:
            tried = None
        if tried is None and session.status.link >= status.LINK_WIFI:
            tried = ticks_ms() if await _settled_by_schedule(session) else None
            overlay.enter("idle")  # without what that took
        if not session.operator:
            await _log_in(session)
            continue
        key = await _key_at_home(session, quarantined)
        overlay.enter("flow")
        if key == ord("M"):
            await _menu(session)
        elif key == ord("E"):
            await _sale(session)
        elif key > ord("0"):
            await _sale(session, key)
        elif not key:
            await _look_after(session)


async def _announced(session: Session, quarantined: bool) -> bool:
    """Announce a quarantine that is new. Returns whether the terminal is in quarantine now."""
    from kassa.flows.idle import home_page

    if home_page.is_quarantined(session) and not quarantined:
        await home_page.show_quarantine(session)
    return home_page.is_quarantined(session)


async def _settled_by_schedule(session: Session) -> bool:
    from kassa.flows.batch import scheduled_settlement

    return await scheduled_settlement.settle(session)


async def _key_at_home(session: Session, quarantined: bool) -> int:
    from kassa.flows.idle import home_page

    return await home_page.run(session, quarantined)


async def _look_after(session: Session) -> None:
    """After a minute without a key: set up again the chips that may have lost power, and log out who has gone."""
    session.ui.restore()
    await session.reader.check()
    _look_after_operator(session)


def _look_after_operator(session: Session) -> None:
    from kassa.flows.staff import log_in

    log_in.look_after(session)


async def _log_in(session: Session) -> None:
    from kassa.flows.staff.log_in import log_in

    await log_in(session)


async def _sale(session: Session, first: int = 0) -> None:
    from kassa.flows.idle.sell import sell

    await sell(session, first)


async def _menu(session: Session) -> None:
    """Show the menu, and run the flow chosen there."""
    flow = await _chosen(session)
    overlay.enter("flow")  # drops the menus from memory
    if flow is not None:
        await flow(session)


async def _chosen(session: Session) -> "Flow | None":
    from kassa.flows.idle.menu import choose

    return await choose(session)
