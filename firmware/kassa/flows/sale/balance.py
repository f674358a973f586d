# SPDX-License-Identifier: MIT
"""Balance inquiry. No money moves."""

from kassa import money, transactions
from kassa.errors import Refused
from kassa.flows.session import Session
from kassa.flows.steps.read_card import read_card
from kassa.flows.steps.requirements import need_host
from kassa.flows.steps.show_outcome import attempt
from kassa.uplink import answers
from kassa.vault.journal import layout

_ONE = 20  # bytes of one amount in DE 54: account 2, type 2, currency 3, C or D 1, amount 12


async def balance(session: Session) -> None:
    """The whole inquiry, from the card to the balance on the screen."""
    await attempt(session, 0, _ask(session))


async def _ask(session: Session) -> None:
    need_host(session)
    if await read_card(session, 0, True, 0x31) is None:
        return
    from kassa.flows.steps import authorise

    sequence = session.till.take(layout.INTENT, transactions.BALANCE, 0, session.card())
    session.wipe_card()
    if not await authorise.ask(session, sequence, 0):
        authorise.void_unsent(session, sequence)
        raise Refused("only_online")
    outcome = session.courier.outcome
    left = _left(outcome.balance) if outcome.kind == answers.YES else None
    if left is None:
        await authorise.show_answer(session, 0)
    else:
        await session.ui.message("ok", session.ui.t("balance"), (), "E=key_ok", 30000, money.text(left), fresh=True)


def _left(amounts: bytes) -> int | None:
    """The first amount of DE 54 in minor units, negative for a debit balance; None if it cannot be parsed."""
    sign, digits = amounts[7:8], amounts[8:_ONE]
    if len(digits) != 12 or sign not in (b"C", b"D") or not digits.isdigit():
        return None
    return int(digits) if sign == b"C" else -int(digits)
