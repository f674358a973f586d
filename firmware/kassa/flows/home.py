# SPDX-License-Identifier: MIT
"""The resting page: what the cashier should know, and the way into a sale or the menu."""

from time import ticks_diff, ticks_ms

from micropython import const

from kassa import money, status
from kassa.flows.sale import sale
from kassa.flows.shop import Shop
from kassa.modules import forget, forget_all
from kassa.screens.font import TEXT

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

# What the transactions of the menu need in memory meanwhile, and what of it stays.
_OTHERS = ("flows.", "desk.named", "desk.nocard", "screens.number", "screens.qr", "kinds")
_KEPT = ("flows.home", "flows.sale", "flows.result", "flows.shop")
_AGAIN_MS = 1800000  # after which what could not be settled unasked is tried again: each try may print a slip
_LOOK_MS = 60000
_WIDTH = 288  # pixels of a line


async def run(shop: Shop) -> None:
    """For ever: rest, then do what the first key asks for. A quarantine is told once on a page of its own."""
    ui = shop.ui
    held = False
    tried = None  # when the batch was last settled unasked
    while True:
        if _held(shop) != held:
            held = not held
            if held:
                await _tell_held(shop)
        if tried is not None and not 0 <= ticks_diff(ticks_ms(), tried) < _AGAIN_MS:
            tried = None
        if tried is None and shop.status.link >= status.LINK_WIFI:
            from kassa.flows import unasked

            tried = ticks_ms() if await unasked.settle(shop) else None
            del unasked
            forget_all(_OTHERS, _KEPT)
        key = await ui.home(shop.name, _lines_while(shop, held), "E=key_sell M=key_menu", _LOOK_MS)
        if key == ord("M"):
            await _menu(shop)
        elif key == ord("E"):
            await sale(shop)
        elif key > ord("0"):
            await sale(shop, key)


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


def _held(shop: Shop) -> bool:
    """Whether the host holds this terminal's payments back: it has seen an older state of the chip, or a copy."""
    return shop.courier.fault == "rollback"


async def _tell_held(shop: Shop) -> None:
    t = shop.ui.t
    lines = (t("call_supervisor"), t("held_seen"), t("held_sales"), t("held_clear"))
    await shop.ui.message("warn", t("quarantined"), lines, "E=key_ok", fresh=True)


def _lines_while(shop: Shop, held: bool) -> "Callable[[], list | None]":
    """The lines, as long as the quarantine is what it was; then None."""
    return lambda: _lines(shop) if _held(shop) == held else None


def _lines(shop: Shop) -> list:
    """Warnings first; three lines fit."""
    ui, news = shop.ui, shop.status
    lines = []
    if shop.courier.fault == "stranger":
        lines.append("!" + ui.t("fault_key_unknown"))
    elif _held(shop):
        lines.append("!" + ui.t("home_held"))
    if shop.till.journal.state.closing:
        lines.append("!" + ui.t("settle_unfinished"))
    if shop.till.journal.unreadable:
        lines.append("!" + ui.t("home_unreadable", shop.till.journal.unreadable))
    if news.reversing:
        lines.append("!" + ui.t("home_reversing"))
    if news.refused_later:
        lines.append("!" + ui.t("home_refused", news.refused_later))
    if not news.clock_trusted:
        lines.append(ui.t("home_clock"))
    if news.link == status.LINK_OFF:
        lines.append(ui.t("home_offline"))
    if news.pending_count:
        lines.append(ui.t("home_queue", news.pending_count, money.text(news.pending_sum)))
    record = shop.last()
    if record is None:
        lines.append(ui.t("home_none"))
    else:
        said = "%s %s" % (money.text(record.amount), ui.t(shop.last_word(record)))
        line = ui.t("home_last", said)
        lines.append(line if ui.canvas.measure(TEXT, line) <= _WIDTH else said)
    return lines
