# SPDX-License-Identifier: MIT
"""Lets the cashier choose a payment of the open batch, to void or adjust it."""

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
    """Show the list. Returns the chosen payment, or None if the cashier went back or there was nothing to choose.

    `title`, `nothing`: text keys, `nothing` for an empty list. `which`, `adjusting`: see desk.originals.
    """
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
    """The distance in sequences from the next record back to the chosen one, and its page. Raises Refused if it is gone."""
    page = bytearray(layout.PAGE)
    if Reader(session.till.journal, one.sequence).read(page) == one.sequence:
        back = session.till.journal.state.sequence + 1 - one.sequence
        if layout.Record(page).stan == one.stan and back <= 0xFFFF:
            return back, page
    raise Refused("void_gone")
