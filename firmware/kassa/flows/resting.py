# SPDX-License-Identifier: MIT
"""What the resting page says, until a key is pressed; in memory only while it stands."""

from micropython import const

from kassa import money, status
from kassa.flows import validity
from kassa.flows.shop import Shop
from kassa.screens.font import TEXT

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_MS = const(60000)
_WIDTH = const(288)  # pixels of a line


async def rest(shop: Shop, held: bool) -> int:
    """The key that was pressed; 0 after a minute, or when the quarantine is no longer what it was, `held`."""
    return await shop.ui.home(shop.name, _lines_while(shop, held), "E=key_sell M=key_menu", _LOOK_MS)


def is_held(shop: Shop) -> bool:
    """Whether the host holds this terminal's payments back: it has seen an older state of the chip, or a copy."""
    return shop.courier.fault == "rollback"


async def tell_held(shop: Shop) -> None:
    """The quarantine, on a page of its own."""
    t = shop.ui.t
    lines = (t("call_supervisor"), t("held_seen"), t("held_sales"), t("held_clear"))
    await shop.ui.message("warn", t("quarantined"), lines, "E=key_ok", fresh=True)


def _lines_while(shop: Shop, held: bool) -> "Callable[[], list | None]":
    """The lines, as long as the quarantine is what it was; then None."""
    return lambda: _lines(shop) if is_held(shop) == held else None


def _lines(shop: Shop) -> list:
    """Warnings first; three lines fit."""
    ui, news = shop.ui, shop.status
    lines = []
    if shop.courier.fault == "stranger":
        lines.append("!" + ui.t("fault_key_unknown"))
    elif is_held(shop):
        lines.append("!" + ui.t("home_held"))
    if not shop.reader.works:
        lines.append("!" + ui.t("fault_reader"))
    if shop.till.journal.state.closing:
        lines.append("!" + ui.t("settle_unfinished"))
    if shop.till.journal.unreadable:
        lines.append("!" + ui.t("home_unreadable", shop.till.journal.unreadable))
    if news.reversing:
        lines.append("!" + ui.t("home_reversing"))
    if news.refused_later:
        lines.append("!" + ui.t("home_refused", news.refused_later))
    said = validity.told(shop)
    if said:
        lines.append(said)
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
