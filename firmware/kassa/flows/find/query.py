# SPDX-License-Identifier: MIT
"""Finds payments by trace number, amount, card, date or state, newest first, in all batches that the journal still holds.

Only the clear headers of the records are read; card data stay sealed.
"""

from micropython import const

from kassa import money
from kassa.flows.find import results
from kassa.flows.session import Session

_DAY = const(86400)
_STATES = "approved pending declined refused_later reversed not_taken"  # text keys; results.state_of names the same


async def by_trace(session: Session) -> None:
    """Find the payment with a trace number."""
    ui = session.ui
    digits = await ui.number(ui.t("find_trace"), 1, 6, ui.t("hint_trace"), "")
    if digits:
        await results.find(session, "%06d" % int(digits), "trace", int(digits))


async def by_amount(session: Session) -> None:
    """Find the payments of an amount."""
    amount = await session.ui.amount(session.ui.t("find_amount"))
    if amount is not None:
        await results.find(session, money.text(amount), "amount", amount)


async def by_card(session: Session) -> None:
    """Find the payments made with a card."""
    ui = session.ui
    digits = await ui.number(ui.t("find_card"), 4, 4, ui.t("hint_card"), "")
    if digits:
        await results.find(session, ui.t("card_digits", digits), "card", digits)


async def by_date(session: Session) -> None:
    """Find the payments of a day: of today, or of the last one with the month and day typed."""
    ui = session.ui
    hint = ui.t("hint_date")
    while True:
        digits = await ui.number(ui.t("find_date"), 4, 4, hint, "", True)
        if digits is None:
            return
        day = _day(session.clock.now(), digits)
        if day >= 0:
            break
        hint = ui.t("hint_no_day")
    from kassa.calendar import date

    await results.find(session, "%04d-%02d-%02d" % date(day * _DAY)[:3], "date", day)


async def by_state(session: Session) -> None:
    """Find the payments in a state."""
    ui, states = session.ui, _STATES.split()
    chosen = await ui.menu(ui.t("find_state"), [ui.t(state) for state in states])
    if chosen is not None:
        await results.find(session, ui.t(states[chosen]), "state", states[chosen])


def _day(now: int, digits: str) -> int:
    """The day, counted from 2000-01-01, with this month and day (MMDD, "" = today) up to `now` (s). -1 = no such day."""
    from kassa.calendar import date, seconds

    if not digits:
        return now // _DAY
    year = date(now)[0]
    for before in range(9):  # a 29 February may be eight years away
        month, day = int(digits[:2]), int(digits[2:])
        try:
            at = seconds(year - before, month, day, 0, 0, 0)
        except ValueError:
            continue
        if at <= now and date(at)[1:3] == (month, day):
            return at // _DAY
    return -1
