# SPDX-License-Identifier: MIT
"""Pre-authorisation: holds an amount on the card. On any later day it is taken (completion) or released (cancel).

Completion and cancel identify the pre-authorisation by the card and the authorisation code on its slip.
"""

from kassa import money, transactions
from kassa.errors import Refused
from kassa.flows.session import Session
from kassa.flows.steps.read_card import read_card
from kassa.flows.steps.requirements import need_host, need_open, need_role, seal_with_card
from kassa.flows.steps.show_outcome import attempt
from kassa.vault.journal import layout

CODE = 0x89  # EMV: authorisation code, 6 characters
DIGITS = 6


async def preauth(session: Session) -> None:
    """Hold an amount on the card."""
    amount = await session.ui.amount(session.ui.t("amount_preauth"), session.till.largest)
    if amount is not None:
        await attempt(session, amount, _hold(session, amount))


async def _hold(session: Session, amount: int) -> None:
    need_host(session)
    if await read_card(session, amount, True) is not None:
        from kassa.flows.steps import authorise

        await authorise.request(session, transactions.PREAUTH, amount, session.card())


async def cancel(session: Session) -> None:
    """Release the amount that a pre-authorisation holds."""
    await _later(session, "amount_preauth_cancel", transactions.PREAUTH_CANCEL)


async def complete(session: Session) -> None:
    """Take the amount of a pre-authorisation, or a part of it."""
    await _later(session, "amount_completion", transactions.COMPLETION)


async def _later(session: Session, title: str, kind: int) -> None:
    ui = session.ui
    amount = await ui.amount(ui.t(title), session.till.largest)
    if amount is None:
        return
    code = await ui.number(ui.t("preauth_code"), DIGITS, DIGITS, ui.t("preauth_code_hint"), money.text(amount))
    if code:
        await attempt(session, amount, _settle(session, amount, kind, code))


async def _settle(session: Session, amount: int, kind: int, code: str) -> None:
    ui = session.ui
    try:
        need_host(session)
    except Refused:
        need_open(session)
        if kind != transactions.COMPLETION:
            raise
        lines = (ui.t("completion_advice_note"), ui.t("accepted_risk"))
        if await ui.message("ask", ui.t("completion_advice"), lines, "E=key_yes C=key_no") != ord("E"):
            raise
        kind = transactions.COMPLETION_ADVICE
    if kind == transactions.PREAUTH_CANCEL:
        await need_role(session, "preauth_cancel")
    if await read_card(session, amount, True) is None:
        return
    seal_with_card(session, CODE, code.encode())
    if kind != transactions.COMPLETION_ADVICE:
        from kassa.flows.steps import authorise

        await authorise.request(session, kind, amount, session.card())
        return
    session.till.take(layout.ACCEPTED, kind, amount, session.card())
    session.wipe_card()
    from kassa.flows.steps import take_offline

    await take_offline.accepted(session, amount)
