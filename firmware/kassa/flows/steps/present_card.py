# SPDX-License-Identifier: MIT
"""Asks for a card and reads it."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from kassa import money, overlay
from kassa.card import tap, tap_outcomes
from kassa.card.tap_outcomes import Outcome
from kassa.card.terms import Terms
from kassa.errors import FlashFault, ReaderFault
from kassa.flows.session import Session
from kassa.flows.steps.show_outcome import result
from kassa.uplink.courier import CARD_TABLES
from kassa.vault.settings.settings import CARDS, OFFLINE_APPROVAL

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.card_tables.ca_public_keys import Authorities

_PRESENT_MS = const(60000)
_LAST_S = const(30)  # the page counts down the last seconds
_WIDTH = const(288)  # px, of the bar
_TRIES = const(3)
_CHINA = const(156)


async def present(session: Session, amount: int, online: bool, kind: int = 0) -> tuple[bool, str] | None:
    """Ask for a card until one is read, the cashier cancels, or three attempts have failed.

    `online`: whether the host will be asked. `kind`: EMV tag 9C, transaction type. Returns (whether the card approved
    offline and was authenticated, text key of why it may not be taken offline, "" = no reason), or None if there is no card
    and the page that says why has been shown.
    """
    ui = session.ui
    wishes = _wishes(session, online)
    hints = ("present_hint",)
    for attempt in range(_TRIES):
        lines = [ui.t(hint) for hint in hints]
        await ui.show("tap", ui.t("present"), lines, "C=key_cancel", money.text(amount))
        try:
            outcome = await _read(session, amount, attempt > 0, wishes, kind, lines)
        except ReaderFault:
            await result(session, "refuse", "not_taken", ("fault_reader",), amount)
            return None
        if outcome is None:
            await result(session, "warn", "cancelled", ("cancelled_note",), amount)
            return None
        if outcome.kind in (tap_outcomes.ONLINE, tap_outcomes.APPROVED):
            session.beep("tap")
            return outcome.kind == tap_outcomes.APPROVED, outcome.refusal
        if outcome.kind == tap_outcomes.DECLINED:
            unproven = outcome.message == tap_outcomes.MSG_NOT_PROVEN
            why = "declined_proof" if unproven else "declined_offline"
            await result(session, "refuse", "declined", (why, "use_other"), amount)
            return None
        if outcome.message == tap_outcomes.MSG_NO_CARD:
            await result(session, "warn", "cancelled", ("no_card", "cancelled_note"), amount)
            return None
        hints = _hints(outcome)
    await result(session, "warn", "cancelled", ("card_error", "cancelled_note"), amount)
    return None


def _wishes(session: Session, online: bool) -> "tuple[Authorities | None, bytes, int]":
    """Authorities, applications and unpredictable number for the terms. With damaged tables no card may approve offline."""
    from kassa.card import risk
    from kassa.vault.card_tables import aids
    from kassa.vault.card_tables.ca_public_keys import Authorities

    number = risk.draw(session.entropy)
    cards = Authorities(*session.courier.cards)
    try:
        table = aids.rows(cards)
        damaged = cards.generation < int.from_bytes(session.settings.get(CARDS, b"\0"), "big")
    except FlashFault:
        table, damaged = b"", True
    if damaged:
        session.courier.damaged_tables = list(CARD_TABLES)
        return None, b"", number
    if not online:
        return cards, table, number
    return None, table, number


def _hints(outcome: Outcome) -> "tuple[str, ...]":
    """Text keys for the next attempt: what went wrong, and what the customer should do."""
    if outcome.message == tap_outcomes.MSG_ONE_CARD:
        return ("one_card_hint",)
    if outcome.message == tap_outcomes.MSG_SEE_PHONE:
        return ("see_phone",)
    if outcome.message == tap_outcomes.MSG_OVER_LIMIT:
        return ("over_limit_hint", "use_other")
    if outcome.kind == tap_outcomes.TRY_AGAIN:
        return ("try_again_hint",)
    return (
        ("card_error", "card_error_hint")
        if outcome.message == tap_outcomes.MSG_ERROR
        else ("other_card_hint", "use_other")
    )


def _decide(session: Session, terms: Terms) -> None:
    """Apply setting 11 to applications without a row in the AID table."""
    from kassa.card.risk import Risk

    terms.apply_risk(Risk(session.settings.get(OFFLINE_APPROVAL, b"")))


async def _read(
    session: Session,
    amount: int,
    again: bool,
    wishes: "tuple[Authorities | None, bytes, int]",
    kind: int,
    lines: "list[str]",
) -> Outcome | None:
    """One tap; None if the cashier pressed Cancel. `lines`: of the page."""
    authorities, applications, number = wishes
    now = _now(session)
    terms = Terms(
        amount, money.CNY, _CHINA, bytes(now[:3]), session.entropy(4), merchant=session.terminal.encode(), kind=kind,
        authorities=authorities, applications=applications, trusted=session.clock.trusted, number=number, time=bytes(now[3:]),
    )  # fmt: skip
    _decide(session, terms)
    overlay.enter("tap")  # drops the modules that made the terms
    state = [ticks_ms(), 0]  # when it began to wait for a card; 1: the card may be removed, 2: and the page says so
    reading, shown = asyncio.create_task(_tap(session, terms, state, again)), _LAST_S
    while not reading.done():
        left = (_PRESENT_MS - ticks_diff(ticks_ms(), state[0])) // 1000
        if state[1] == 1:  # only this task draws
            await _show(session, "wait", "remove", [session.ui.t("remove_note")], amount, 0)
            state[1] = 2
        elif not state[1] and 0 <= left < _LAST_S and left != shown:
            shown = left
            await _show(session, "tap", "present", lines + [session.ui.t("at_most", left)], amount, left)
        if await session.ui.key("C", 50):
            if reading.done():
                break
            reading.cancel()
            try:
                await reading
            except asyncio.CancelledError:
                pass
            return None
    result = await reading
    if isinstance(result, Exception):
        raise result
    return result


def _now(session: Session) -> bytearray:
    """Date and time for the card, BCD YYMMDDHHMMSS."""
    from kassa.calendar import date

    now = bytearray(6)
    for index, value in enumerate(date(session.clock.now())):
        money.pack_bcd(value % 100, now, index, 1)
    return now


async def _show(session: Session, kind: str, title: str, lines: "list[str]", amount: int, left: int) -> None:
    """Show the page. `title`: a text key. `left`: seconds for the bar, 0 = none."""
    ui = session.ui
    await ui.show(kind, ui.t(title), lines, "C=key_cancel", money.text(amount), _WIDTH * left // _LAST_S)


async def _tap(session: Session, terms: Terms, state: "list", again: bool) -> Outcome | ReaderFault | FlashFault:
    """Read a card; if `again`, first wait until the last one has been removed. `state`: see `_read`.

    An error of reader or flash is returned, not raised: a task must not end with an error before it is awaited.
    """

    async def show_remove() -> None:
        state[1] = 1
        while state[1] == 1:
            await asyncio.sleep_ms(10)

    try:
        if again:
            await session.reader.wait_removed(_PRESENT_MS)
            state[0] = ticks_ms()  # pyright: ignore[reportArgumentType, reportCallIssue]  the stubs' type of ticks
        return await tap.read(session.reader, terms, session.card(), _PRESENT_MS, show_remove)
    except (ReaderFault, FlashFault) as fault:
        return fault
