# SPDX-License-Identifier: MIT
"""The lines of the home page, until a key is pressed. In memory only while the page is shown."""

from micropython import const

from kassa import money, status
from kassa.flows.session import Session
from kassa.flows.steps import certificate_notes
from kassa.screens.font import TEXT

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_MS = const(60000)
_WIDTH = const(288)  # pixels of a line


async def run(session: Session, quarantined: bool) -> int:
    """Show the home page. Returns the key that was pressed; 0 after a minute, or when the quarantine begins or ends.

    `quarantined`: whether the terminal is in quarantine now.
    """
    return await session.ui.home(session.name, _lines_while(session, quarantined), "E=key_sell M=key_menu", _LOOK_MS)


def is_quarantined(session: Session) -> bool:
    """Whether the host holds back the terminal's payments: it has seen an older state of the chip, or a copy (quarantine)."""
    return session.courier.fault == "rollback"


async def show_quarantine(session: Session) -> None:
    """Announce the quarantine on a page of its own."""
    t = session.ui.t
    lines = (t("call_supervisor"), t("held_seen"), t("held_sales"), t("held_clear"))
    await session.ui.message("warn", t("quarantined"), lines, "E=key_ok", fresh=True)


def _lines_while(session: Session, quarantined: bool) -> "Callable[[], list | None]":
    """A function that returns the lines, or None once the quarantine has begun or ended."""
    return lambda: _lines(session) if is_quarantined(session) == quarantined else None


def _lines(session: Session) -> list:
    """The lines, most important first: only three fit."""
    ui, news = session.ui, session.status
    lines = []
    if session.courier.fault == "unknown terminal":
        lines.append("!" + ui.t("fault_key_unknown"))
    elif is_quarantined(session):
        lines.append("!" + ui.t("home_held"))
    if not session.reader.works:
        lines.append("!" + ui.t("fault_reader"))
    if session.till.journal.state.closing:
        lines.append("!" + ui.t("settle_unfinished"))
    if session.till.journal.unreadable:
        lines.append("!" + ui.t("home_unreadable", session.till.journal.unreadable))
    if news.reversing:
        lines.append("!" + ui.t("home_reversing"))
    if news.refused_later:
        lines.append("!" + ui.t("home_refused", news.refused_later))
    note = certificate_notes.note(session)
    if note:
        lines.append(note)
    if not news.clock_trusted:
        lines.append(ui.t("home_clock"))
    why = certificate_notes.offline(session)
    if why or news.link == status.LINK_OFF:
        lines.append(why or ui.t("home_offline"))
    if news.pending_count:
        lines.append(ui.t("home_queue", news.pending_count, money.text(news.pending_sum)))
    record = session.last()
    if record is None:
        lines.append(ui.t("home_none"))
    else:
        payment = "%s %s" % (money.text(record.amount), ui.t(session.last_disposition(record)))
        line = ui.t("home_last", payment)
        lines.append(line if ui.canvas.measure(TEXT, line) <= _WIDTH else payment)
    return lines
