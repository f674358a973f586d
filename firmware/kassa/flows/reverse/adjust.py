# SPDX-License-Identifier: MIT
"""Adds a tip to a sale of the open batch, or corrects a voice-authorised sale, by an advice with the new amount."""

from micropython import const

from kassa import money, transactions
from kassa.desk import cardless_body
from kassa.flows.reverse.choose_original import choose, page_of
from kassa.flows.session import Session
from kassa.flows.steps.requirements import need_open, need_role
from kassa.flows.steps.show_outcome import attempt
from kassa.vault.journal import layout

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.desk.originals import Original

_TIP_PERCENT = 20  # at most, of the sale


async def tip(session: Session, more: int | None = 0) -> None:
    """Choose the sale, then enter the tip. `more`: the tip typed already, 0 = not yet; asked for again if it is too much."""
    one = await choose(session, "tip", "adjust_none", (transactions.SALE,), True)
    if one is None:
        return
    ui = session.ui
    most = one.amount * _TIP_PERCENT // 100
    note = ui.t("amount_tip_note", money.text(one.amount), money.text(most))
    if not more or more > most:
        more = await ui.amount(ui.t("amount_tip"), most, note=note)
    if more is not None:
        await attempt(session, one.amount + more, _adjust(session, transactions.TIP, one, one.amount + more))


async def adjust(session: Session) -> None:
    """Choose the sale, then enter the correct amount. A supervisor must agree."""
    one = await choose(session, "adjust", "adjust_none", (transactions.VOICE_SALE,), True)
    if one is None:
        return
    ui = session.ui
    was = ui.t("adjust_from", money.text(one.amount))
    amount = await ui.amount(ui.t("amount_adjust"), session.till.largest, note=was)
    if amount is not None:
        await attempt(session, amount, _adjust(session, transactions.ADJUST, one, amount))


async def _adjust(session: Session, kind: int, one: "Original", amount: int) -> None:
    ui = session.ui
    need_open(session)
    session.till.check_amount(amount)
    lines = (ui.t("adjust_from", money.text(one.amount)), ui.t("void_which", "%06d" % one.stan, session.paid_with(one)))
    asked = await ui.message("ask", ui.t("adjust_ask"), lines, "E=key_yes C=key_no", amount=money.text(amount))
    if asked != ord("E"):
        return
    if kind == transactions.ADJUST:
        await need_role(session, "adjust")
    back, page = page_of(session, one)
    session.till.take(layout.ACCEPTED, kind, amount, cardless_body.for_record(page), back)
    session.status.set_pending(session.till.journal.state)
    from kassa.flows.steps.show_outcome import finish

    lines = [ui.t("adjust_from", money.text(one.amount)), ui.t("accepted_note")]
    await finish(session, "hold", "accepted", lines, amount)
