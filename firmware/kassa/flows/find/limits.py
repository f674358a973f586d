# SPDX-License-Identifier: MIT
"""What the merchant's limits still allow to be taken offline, and for how long."""

from kassa import money
from kassa.errors import Refused
from kassa.flows.session import Session
from kassa.screens import theme

_HOUR = 3600


async def limits(session: Session) -> None:
    """Show each limit with what is left of it; first why no payment could be taken offline now, if so."""
    ui, till = session.ui, session.till
    allowed, state, t = till.limits, till.journal.state, ui.t
    if not allowed.set:
        await ui.message("ask", t("limits"), (t("limit_off"),))
        return
    rows, age = [], session.clock.now()
    try:
        till.check_offline(1)
    except Refused as refused:
        rows.append((theme.WARNING + t(refused.key, *refused.values), ""))
    rows += [
        (t("room_left"), "%s / %s" % (money.text(max(0, allowed.sum - state.sum)), money.text(allowed.sum))),
        (t("room_count"), t("room_n_of", max(0, allowed.count - state.count), allowed.count)),
        (t("room_payment"), money.text(allowed.payment)),
        (t("room_card"), "%d" % allowed.per_card),
        (t("room_heard"), t("room_hours", max(0, age - state.heard) // _HOUR, allowed.heard_hours)),
    ]
    if state.oldest:
        rows.append((t("room_oldest"), t("room_hours", max(0, age - state.oldest) // _HOUR, allowed.unsent_hours)))
    await ui.list(t("limits"), rows, choose=False)
