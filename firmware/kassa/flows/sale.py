# SPDX-License-Identifier: MIT
"""A card sale, from the amount to the receipt."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from kassa import money
from kassa.calendar import date
from kassa.card import tap
from kassa.card.terms import (
    APPROVED,
    DECLINED,
    END,
    MSG_NO_CARD,
    MSG_NOT_PROVEN,
    MSG_ONE_CARD,
    MSG_SEE_PHONE,
    ONLINE,
    TRY_AGAIN,
    Outcome,
    Terms,
)
from kassa.errors import FlashFault, JournalFull, KeyringError, ReaderFault, Refused
from kassa.flows import receipt
from kassa.flows.shop import Shop
from kassa.uplink import answers

_PRESENT_MS = const(60000)
_PATIENCE_MS = const(45000)
_RESULT_MS = const(30000)
_TRIES = const(3)
_CHINA = const(156)


async def sale(shop: Shop, first: int = 0) -> None:
    """Ask for an amount and take it. `first`: the key of a digit already pressed on the home page, 0 = none."""
    amount = await shop.ui.amount(shop.ui.t("amount_sale"), shop.till.largest, first)
    if amount is not None:
        try:
            await _take(shop, amount)
        except Refused as refused:
            await refuse(shop, refused, amount)
        except JournalFull:
            await refuse(shop, Refused("limit_full"), amount)
        except (KeyringError, FlashFault):
            await _result(shop, "refuse", "not_taken", ("fault_flash",), amount)
        finally:
            shop.arena.wipe()


async def refuse(shop: Shop, refused: Refused, amount: int) -> None:
    """Say why the till does not take it, and what would help."""
    ui = shop.ui
    lines = [ui.t(refused.key, *refused.values)]
    if refused.key.startswith("limit"):
        lines.append(ui.t("limit_how"))
    await ui.message("refuse", ui.t("not_taken"), lines, "E=key_ok", _RESULT_MS, money.text(amount))


async def _take(shop: Shop, amount: int) -> None:
    till = shop.till
    till.check_amount(amount)
    if till.journal.state.closing:
        raise Refused("settle_unfinished")
    online = till.online_allowed() and shop.line.reachable()
    agreed = False
    if not online:
        till.check_offline(amount)
        if till.needs_supervisor:
            agreed = await _supervisor(shop, amount)
    outcome = await _present(shop, amount, online)
    if outcome is None:
        return
    if online:
        await _authorise(shop, amount, outcome.expired)
    else:
        till.check_card(shop.arena.body)
        if outcome.expired:
            raise Refused("card_expired")
        approved = outcome.kind == APPROVED
        till.accept_offline(amount, shop.arena, agreed, approved)
        shop.arena.wipe()
        if approved:
            shop.status.queue(till.journal.state)
            await _finish(shop, "ok", "approved_card", [shop.ui.t("approved_card_note")], amount)
        else:
            await _accepted(shop, amount)


async def _supervisor(shop: Shop, amount: int) -> bool:
    from kassa.flows import supervisor  # seldom asked for: loaded then

    ui = shop.ui
    lines = (ui.t("limit_restart"),)
    keys = "E=key_ok C=key_cancel"
    key = await ui.message("warn", ui.t("limit_title"), lines, keys, _RESULT_MS, money.text(amount))
    if key != ord("E") or not await supervisor.allowed(shop):
        raise Refused("limit_restart")
    return True


# -- the card -------------------------------------------------------------------------------------------------------


async def _present(shop: Shop, amount: int, online: bool) -> Outcome | None:
    """Ask for a card until one is read, the cashier cancels, or three tries went wrong. None = said on the screen already."""
    ui = shop.ui
    may_approve = not online and shop.approval.allowed(amount, shop.clock, shop.entropy)
    hint = ui.t("present_hint")
    for attempt in range(_TRIES):
        await ui.show("tap", ui.t("present"), (hint,), "C=key_cancel", money.text(amount))
        try:
            outcome = await _read(shop, amount, attempt > 0, may_approve)
        except ReaderFault:
            await _result(shop, "refuse", "not_taken", ("fault_reader",), amount)
            return None
        if outcome is None:
            await _result(shop, "warn", "cancelled", ("cancelled_note",), amount)
            return None
        if outcome.kind in (ONLINE, APPROVED):
            await ui.show("wait", ui.t("remove"), (), "", money.text(amount))
            return outcome
        if outcome.kind == DECLINED:
            unproven = outcome.message == MSG_NOT_PROVEN
            lines = ("declined_proof", "other_card_hint") if unproven else ("declined_offline",)
            await _result(shop, "refuse", "declined", lines, amount)
            return None
        if outcome.message == MSG_NO_CARD:
            await _result(shop, "warn", "cancelled", ("no_card", "cancelled_note"), amount)
            return None
        hint = ui.t(_hint(outcome))
    await _result(shop, "warn", "cancelled", ("card_error", "cancelled_note"), amount)
    return None


def _hint(outcome: Outcome) -> str:
    """What to tell the customer before the next try."""
    if outcome.message == MSG_ONE_CARD:
        return "one_card_hint"
    if outcome.message == MSG_SEE_PHONE:
        return "see_phone"
    if outcome.kind == TRY_AGAIN:
        return "try_again_hint"
    return "card_error" if outcome.kind == END else "other_card_hint"


async def _read(shop: Shop, amount: int, again: bool, may_approve: bool) -> Outcome | None:
    """One tap; None when the cashier pressed Cancel meanwhile. `may_approve`: the card may, by itself."""
    today = date(shop.clock.now())
    day = bytearray(3)
    for index, value in enumerate((today[0] % 100, today[1], today[2])):
        money.pack_bcd(value, day, index, 1)
    terms = Terms(
        amount, money.CNY, _CHINA, bytes(day), shop.entropy(4), merchant=shop.terminal.encode(),
        cvm_required=shop.approval.cvm_required(amount), authorities=shop.authorities if may_approve else None,
    )  # fmt: skip
    reading = asyncio.create_task(_tap(shop, terms, amount, again))
    while not reading.done():
        if await shop.ui.key("C", 100):
            if reading.done():
                break
            reading.cancel()
            try:
                await reading
            except asyncio.CancelledError:
                pass
            return None
    result = await reading
    if isinstance(result, ReaderFault):
        raise result
    return result


async def _tap(shop: Shop, terms: Terms, amount: int, again: bool) -> Outcome | ReaderFault:
    """Read a card; before another try, wait until the last one was taken away.

    The reader's error is returned, not raised: a task must not end by an error before somebody awaits it.
    """

    async def told() -> None:
        await shop.ui.show("wait", shop.ui.t("remove"), (), "", money.text(amount))

    try:
        if again:
            await shop.reader.gone(_PRESENT_MS)
        return await tap.read(shop.reader, terms, shop.arena, _PRESENT_MS, told)
    except ReaderFault as fault:
        return fault


# -- the answer -----------------------------------------------------------------------------------------------------


async def _authorise(shop: Shop, amount: int, expired: bool) -> None:
    """Send it to the host and wait for the answer; what is on the screen is durable in the journal."""
    ui, courier = shop.ui, shop.courier
    sequence = shop.till.prepare_online(amount, shop.arena)
    courier.submit(sequence)
    start = ticks_ms()
    while not courier.outcome.kind:
        waited = ticks_diff(ticks_ms(), start)
        if waited > _PATIENCE_MS:
            courier.give_up()
            break
        await ui.show("wait", ui.t("authorising"), (ui.t("authorising_time", waited // 1000),), "", money.text(amount))
        await asyncio.sleep_ms(100)
    outcome = courier.outcome
    if outcome.kind == answers.UNSENT or not outcome.kind:
        if courier.withdraw():
            await _unsent(shop, sequence, amount, expired)
            return
        courier.give_up()
    shop.arena.wipe()
    if outcome.kind == answers.YES:
        lines = [ui.t("auth_code", outcome.auth)] if outcome.auth else []
        await _finish(shop, "ok", "approved", lines, amount, outcome.auth, outcome.rrn)
    elif outcome.kind == answers.NO:
        code = str(outcome.code, "utf-8")
        await _finish(shop, "refuse", "declined", [ui.words.reason(code), ui.t("de39_code", code)], amount)
    else:
        await _finish(shop, "warn", "reversing", [ui.t("reversing_note")], amount)


async def _unsent(shop: Shop, sequence: int, amount: int, expired: bool) -> None:
    """Not a byte left: the cashier may take it offline, within the limits, or not at all."""
    ui, till = shop.ui, shop.till
    try:
        till.check_offline(amount)
        till.check_card(shop.arena.body)
        if expired:
            raise Refused("card_expired")
        if till.needs_supervisor:
            await _supervisor(shop, amount)
        question = (ui.t("fault_host"), ui.t("accepted_risk"))
        title = ui.t("ask_offline")
        key = await ui.message("ask", title, question, "E=key_yes C=key_no", _RESULT_MS, money.text(amount), fresh=True)
        if key != ord("E"):
            raise Refused("fault_host")
        till.defer(sequence, amount, shop.arena.body)
    except Refused as refused:
        till.void_unsent(sequence)
        shop.status.queue(till.journal.state)
        await refuse(shop, refused, amount)
        return
    await _accepted(shop, amount)


async def _accepted(shop: Shop, amount: int) -> None:
    shop.status.queue(shop.till.journal.state)
    ui = shop.ui
    await _finish(shop, "hold", "accepted", [ui.t("accepted_note"), ui.t("accepted_risk")], amount)


async def _finish(shop: Shop, kind: str, word: str, lines: list, amount: int, auth: str = "", rrn: str = "") -> None:
    """Show the result at once, print the receipt, wait for the cashier."""
    ui = shop.ui
    await ui.show(kind, ui.t(word), lines, "E=key_ok", money.text(amount))
    ui.keypad.flush()  # nobody skips a result with a key pressed before it stood
    record = shop.last()
    if record is not None and word in ("approved", "approved_card", "accepted"):
        fault = await receipt.output(shop, receipt.payment(shop, record, word, auth, rrn))
        if fault:
            lines = [ui.t(fault)] + lines
    await ui.message(kind, ui.t(word), lines, "E=key_ok", _RESULT_MS, money.text(amount))


async def _result(shop: Shop, kind: str, word: str, lines: tuple, amount: int) -> None:
    ui = shop.ui
    said = [ui.t(line) for line in lines]
    await ui.message(kind, ui.t(word), said, "E=key_ok", _RESULT_MS, money.text(amount), fresh=True)
