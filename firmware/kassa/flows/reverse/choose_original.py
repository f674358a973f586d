# SPDX-License-Identifier: MIT
"""The list of payments of the open batch from which one is chosen: to be voided, or to be adjusted."""

from micropython import const

from kassa import money
from kassa.errors import Refused
from kassa.flows.session import Session
from kassa.vault.journal import layout
from kassa.vault.journal.reader import Reader

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.desk.originals import Original


async def choose(
    session: Session, title: str, nothing: str, which: "tuple[int, ...]", adjusting: bool = False
) -> "Original | None":
    """The payment that was chosen; None when the list was left, or `nothing` said. See desk.originals for the rest."""
    from kassa.desk.originals import originals

    ui = session.ui
    found = originals(session.till.journal, which, adjusting)
    if not found:
        await ui.message("ask", ui.t(title), (ui.t(nothing),))
        return None
    rows = [("%06d  %s" % (one.stan, session.paid_with(one)), money.text(one.amount)) for one in found]
    chosen = await ui.list(ui.t(title), rows)
    return None if chosen is None else found[chosen]


def page_of(session: Session, one: "Original") -> "tuple[int, bytearray]":
    """How many sequences back the chosen record lies from the next one, and its page. Raises Refused."""
    page = bytearray(layout.PAGE)
    if Reader(session.till.journal, one.sequence).read(page) == one.sequence:
        back = session.till.journal.state.sequence + 1 - one.sequence
        if layout.Record(page).stan == one.stan and back <= 0xFFFF:
            return back, page
    raise Refused("void_gone")
