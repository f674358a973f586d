# SPDX-License-Identifier: MIT
"""A payment is sent to the host, and its answer shown."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from kassa import kinds, money
from kassa.errors import FlashFault, JournalFull, Refused
from kassa.flows.finish import finish
from kassa.flows.result import refuse
from kassa.flows.shop import Shop
from kassa.uplink import answers
from kassa.vault import layout

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.arena import Arena
    from kassa.desk.nocard import NoCard

_PATIENCE_MS = const(45000)
_ANSWER_MS = const(30000)


async def authorise(shop: Shop, amount: int, refusal: str) -> None:
    """A sale with the card in the arena."""
    sequence = shop.till.take(layout.INTENT, kinds.SALE, amount, shop.arena)
    if await ask(shop, sequence, amount):
        await tell(shop, amount)
    else:
        await _unsent(shop, sequence, amount, refusal)


async def request(shop: Shop, kind: int, amount: int, source: "Arena | NoCard", back: int = 0) -> None:
    """What only the host can decide, from its intent to its end. See Till.take. Raises Refused when nothing left."""
    sequence = shop.till.take(layout.INTENT, kind, amount, source, back)
    source.wipe()
    if await ask(shop, sequence, amount):
        await tell(shop, amount)
    else:
        give_back(shop, sequence)
        raise Refused("only_online")


def give_back(shop: Shop, sequence: int) -> None:
    """An intent of which no byte left, and that nobody wants now."""
    try:
        shop.till.void_unsent(sequence)
    finally:
        shop.courier.held = 0
    shop.status.queue(shop.till.journal.state)


async def ask(shop: Shop, sequence: int, amount: int) -> bool:
    """Send an intent to the host and wait for the answer, or for word that the customer has still to agree.

    False: not a byte of it left, and none will.
    """
    ui, courier = shop.ui, shop.courier
    courier.submit(sequence)
    start = ticks_ms()
    while not courier.outcome.kind and not courier.outcome.waiting:
        waited = ticks_diff(ticks_ms(), start)
        if waited > _PATIENCE_MS:
            give_up(shop)
            break
        await ui.show("wait", ui.t("authorising"), (ui.t("authorising_time", waited // 1000),), "", money.text(amount))
        await asyncio.sleep_ms(100)
    outcome = courier.outcome
    if outcome.kind == answers.UNSENT or not outcome.kind and not outcome.waiting:
        if courier.withdraw():
            return False
        give_up(shop)
    return True


async def tell(shop: Shop, amount: int, said: tuple = ()) -> None:
    """Show the answer, and `said` when it was yes; what is on the screen is durable in the journal."""
    ui, outcome = shop.ui, shop.courier.outcome
    shop.arena.wipe()
    word = shop.last_word(shop.last())
    if outcome.kind == answers.YES:
        lines = list(said) or ([ui.t("auth_code", outcome.auth)] if outcome.auth else [])
        await finish(shop, "ok", word, lines, amount, outcome.auth, outcome.rrn)
    elif outcome.kind == answers.NO:
        code = str(outcome.code, "utf-8")
        await finish(shop, "refuse", "declined", [ui.words.reason(code), ui.t("de39_code", code)], amount)
    elif word == "unanswered":
        await finish(shop, "warn", word, [ui.t("unanswered_note")], amount)
    else:
        note = "qr_given_up" if outcome.waiting else "reversing_note"
        await finish(shop, "warn", "reversing", [ui.t(note)], amount)


def give_up(shop: Shop) -> None:
    """It is reversed, even where the flash takes no mark of it now: the next connection makes it."""
    try:
        shop.courier.give_up()
    except (FlashFault, JournalFull):
        pass


async def _unsent(shop: Shop, sequence: int, amount: int, refusal: str) -> None:
    """Not a byte left: the cashier may take it offline, within the limits, or not at all."""
    from kassa.flows import offline

    ui, till = shop.ui, shop.till
    refused = None
    try:
        till.check_offline(amount)
        offline.check_card(shop, refusal)
        if till.needs_supervisor:
            await offline.agreed(shop, amount)
        question = (ui.t("fault_host"), ui.t("accepted_risk"))
        title = ui.t("ask_offline")
        key = await ui.message("ask", title, question, "E=key_yes C=key_no", _ANSWER_MS, money.text(amount), fresh=True)
        if key != ord("E"):
            raise Refused("fault_host")
        till.defer(sequence, amount, shop.arena.body)
    except Refused as reason:
        refused = reason
        till.void_unsent(sequence)
    finally:
        shop.courier.held = 0
    shop.arena.wipe()
    if refused is None:
        await offline.accepted(shop, amount)
    else:
        shop.status.queue(till.journal.state)
        await refuse(shop, refused, amount)
