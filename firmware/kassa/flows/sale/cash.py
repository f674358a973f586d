# SPDX-License-Identifier: MIT
"""Cash: a sale with change, and cash returned. The host is informed later."""

from kassa import money, transactions
from kassa.desk import cardless_body
from kassa.flows.session import Session
from kassa.flows.steps.requirements import need_open
from kassa.flows.steps.show_outcome import attempt
from kassa.vault.journal import layout


async def cash(session: Session, amount: int | None = 0) -> None:
    """The whole cash sale, from the amount to the receipt. `amount`: typed already, 0 = not yet."""
    ui = session.ui
    amount = amount or await ui.amount(ui.t("amount_cash"), session.till.largest)
    if amount is None:
        return
    title, due = ui.t("amount_given"), money.text(amount)
    given = await ui.amount(title, note=ui.t("amount_due", due))
    while given is not None and given < amount:
        given = await ui.amount(title, note=ui.t("cash_short", due))
    if given is None:
        return
    await attempt(session, amount, _take(session, amount, given - amount))


async def _take(session: Session, amount: int, change: int) -> None:
    session.till.check_amount(amount)
    need_open(session)
    session.till.take(layout.ACCEPTED, transactions.CASH, amount, cardless_body.cash())
    session.status.set_pending(session.till.journal.state)
    from kassa.flows.steps.show_outcome import finish

    await finish(session, "ok", "cash_taken", [session.ui.t("cash_change", money.text(change))], amount)


async def give_back(session: Session, amount: int, source: cardless_body.CardlessBody, back: int = 0) -> None:
    """Return cash. A supervisor must have agreed. `source`, `back`: refer to the cash sale that is voided, see Till.take."""
    session.till.take(layout.ACCEPTED, transactions.CASH_REFUND, amount, source, back)
    session.status.set_pending(session.till.journal.state)
    from kassa.flows.steps.show_outcome import finish

    await finish(session, "ok", "cash_returned", [session.ui.t("cash_returned_note")], amount)
