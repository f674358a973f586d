# SPDX-License-Identifier: MIT
"""A card sale, from the amount to the receipt."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from kassa import money
from kassa.errors import FlashFault, JournalFull, KeyringError, Refused
from kassa.flows.result import result
from kassa.flows.shop import Shop
from kassa.modules import forget, forget_all
from kassa.uplink import answers

_PATIENCE_MS = const(45000)
_RESULT_MS = const(30000)
_READING = ("flows.present", "desk.approval", "vault.authorities", "card.")
_KEPT = ("card.arena", "card.tlv")


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
            await result(shop, "refuse", "not_taken", ("fault_flash",), amount)
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
    card = await _present(shop, amount, online)
    if card is None:
        return
    approved, expired = card
    if online:
        await _authorise(shop, amount, expired)
    else:
        _check_card(shop, expired)
        till.accept_offline(amount, shop.arena, agreed, approved)
        shop.arena.wipe()
        if approved:
            shop.status.queue(till.journal.state)
            await _finish(shop, "ok", "approved_card", [shop.ui.t("approved_card_note")], amount)
        else:
            await _accepted(shop, amount)


def _check_card(shop: Shop, expired: bool) -> None:
    """What speaks against taking the card without the host. Raises Refused."""
    shop.till.check_card(shop.arena.body)
    if expired:
        raise Refused("card_expired")
    from kassa.flows import excepted

    try:
        if excepted.excepted(shop):
            raise Refused("card_listed")
    finally:
        del excepted
        forget_all(("flows.excepted", "vault.authorities", "card."), _KEPT)


async def _supervisor(shop: Shop, amount: int) -> bool:
    from kassa.flows import supervisor  # seldom asked for: loaded then

    ui = shop.ui
    lines = (ui.t("limit_restart"),)
    keys = "E=key_ok C=key_cancel"
    key = await ui.message("warn", ui.t("limit_title"), lines, keys, _RESULT_MS, money.text(amount))
    if key != ord("E") or not await supervisor.allowed(shop):
        raise Refused("limit_restart")
    return True


async def _present(shop: Shop, amount: int, online: bool) -> tuple[bool, bool] | None:
    """present.present, which with all that reads cards is in memory only meanwhile."""
    from kassa.flows import present

    try:
        return await present.present(shop, amount, online)
    finally:
        del present
        forget_all(_READING, _KEPT)


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
        _check_card(shop, expired)
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
        from kassa.flows import receipt

        fault = await receipt.output(shop, receipt.payment(shop, record, word, auth, rrn))
        del receipt
        forget("kassa.flows.receipt")
        if fault:
            lines = [ui.t(fault)] + lines
    await ui.message(kind, ui.t(word), lines, "E=key_ok", _RESULT_MS, money.text(amount))
