# SPDX-License-Identifier: MIT
"""A voice-authorised sale (CUP: offline sale): asks for the authorisation code and the card, then takes the payment."""

from kassa import money, transactions
from kassa.flows.sale.preauth import CODE, DIGITS
from kassa.flows.session import Session
from kassa.flows.steps.read_card import read_card
from kassa.flows.steps.requirements import need_open, seal_with_card
from kassa.flows.steps.show_outcome import attempt
from kassa.vault.journal import layout


async def voice(session: Session) -> None:
    """The whole sale, from the amount to the receipt."""
    ui = session.ui
    amount = await ui.amount(ui.t("amount_voice"), session.till.largest)
    if amount is None:
        return
    code = await ui.number(ui.t("voice_code"), DIGITS, DIGITS, ui.t("voice_code_hint"), money.text(amount))
    if code:
        await attempt(session, amount, _take(session, amount, code))


async def _take(session: Session, amount: int, code: str) -> None:
    need_open(session)
    if await read_card(session, amount, True) is None:
        return
    seal_with_card(session, CODE, code.encode())
    session.till.take(layout.ACCEPTED, transactions.VOICE_SALE, amount, session.card())
    session.wipe_card()
    session.status.set_pending(session.till.journal.state)
    from kassa.flows.steps.show_outcome import finish

    lines = [session.ui.t("auth_code", code), session.ui.t("accepted_note")]
    await finish(session, "hold", "accepted", lines, amount, code)
