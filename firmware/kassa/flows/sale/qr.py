# SPDX-License-Identifier: MIT
"""Payments by code: the terminal scans the customer's code or shows its own, and the host asks the wallet. Online only.

While the customer has still to confirm, the same request is sent again. The host recognises its uid, and answers with the
current state.
"""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from kassa import money, transactions
from kassa.desk import cardless_body
from kassa.errors import Refused
from kassa.flows.session import Session
from kassa.flows.steps import authorise
from kassa.flows.steps.requirements import need_host
from kassa.flows.steps.show_outcome import attempt
from kassa.vault.journal import layout
from kassa.vault.settings import settings

# Timing: WeChat Pay and Alipay, reference pages of their barcode payments.
_ASK_MS = const(5000)  # between two queries
_NO_CANCEL_MS = const(15000)  # a wallet accepts no reversal earlier
_SCAN_MS = const(45000)  # the customer's time to confirm
_SHOW_MS = const(120000)  # the customer's time to scan and pay
_CODE_MIN = const(16)
_CODE_MAX = const(24)


async def scan(session: Session, amount: int | None = 0) -> None:
    """Take a payment by a code that the customer shows. `amount`: typed already, 0 = not yet. M shows our code instead."""
    ui = session.ui
    amount = amount or await ui.amount(ui.t("amount_qr"), session.till.largest)
    if amount is None:
        return
    due, scanner = money.text(amount), session.scanner()
    hint = ui.t("qr_code_hint")
    code = await ui.number(ui.t("qr_code"), _CODE_MIN, _CODE_MAX, hint, due, scanner=scanner, act="key_show")
    if code == "M":
        await show(session, amount)
    elif code:
        await attempt(session, amount, _scanned(session, amount, code.encode()))


async def show(session: Session, amount: int | None = 0) -> None:
    """Take a payment by a code that the terminal shows and the customer scans. `amount`: typed already, 0 = not yet."""
    wallet = await _pick(session)
    if wallet is None:
        return
    amount = amount or await session.ui.amount(session.ui.t("amount_qr"), session.till.largest)
    if amount is not None:
        await attempt(session, amount, _shown(session, amount, wallet))


async def _pick(session: Session) -> "bytes | None":
    """The wallet whose code is shown: the cashier picks one if the merchant has several. None: the cashier went back."""
    wallets = [name.split(":") for name in str(session.settings.get(settings.WALLETS, b""), "utf-8").split(",")]
    chosen: int | None = 0
    if len(wallets) > 1:
        chosen = await session.ui.menu(session.ui.t("qr_wallet"), [each[-1] for each in wallets])
    return None if chosen is None else wallets[chosen][0].encode()


async def _scanned(session: Session, amount: int, code: bytes) -> None:
    need_host(session)
    source = cardless_body.scanned_code(code)
    sequence = session.till.take(layout.INTENT, transactions.QR_SCANNED, amount, source)
    source.wipe()
    await _settle(session, sequence, amount, _SCAN_MS)


async def _shown(session: Session, amount: int, wallet: bytes) -> None:
    need_host(session)
    sequence = session.till.take(layout.INTENT, transactions.QR_SHOWN, amount, cardless_body.shown_code(wallet))
    await _settle(session, sequence, amount, _SHOW_MS)


async def _settle(session: Session, sequence: int, amount: int, patience_ms: int) -> None:
    """Query the host until there is a final answer. If the cashier cancels or time runs out, reverse the payment."""
    ui, courier = session.ui, session.courier
    start = asked = ticks_ms()
    if not await authorise.ask(session, sequence, amount):
        authorise.void_unsent(session, sequence)
        raise Refused("only_online")
    while not courier.outcome.kind:
        outcome, waited = courier.outcome, ticks_diff(ticks_ms(), start)
        may_cancel = outcome.code_to_show or waited > _NO_CANCEL_MS
        seconds = max(0, patience_ms - waited) // 1000
        left, bar = ui.t("qr_left", seconds), 288000 * seconds // patience_ms
        keys = "C=key_cancel" if may_cancel else "=please_wait"
        if outcome.code_to_show:
            await _show(session, amount, (ui.t("qr_please_scan"), left), keys)
        else:
            lines = [left]
            if not may_cancel:
                lines.append(ui.t("qr_cancel_in", (_NO_CANCEL_MS - waited) // 1000 + 1))
            await ui.show("wait", ui.t("qr_confirm"), lines, keys, money.text(amount), bar)
        if waited > patience_ms or await ui.key("C" if may_cancel else "", 200):
            authorise.give_up(session)
        elif outcome.waiting and ticks_diff(ticks_ms(), asked) > _ASK_MS:
            asked = ticks_ms()
            courier.resend = True
        await asyncio.sleep_ms(0)
    await authorise.show_answer(session, amount)


async def _show(session: Session, amount: int, lines: "tuple[str, str]", keys: str) -> None:
    """Show the code to scan. If it is on the screen already, only `lines` are redrawn."""
    from kassa.screens import qr

    ui = session.ui
    await qr.show(ui, ui.t("qr_show"), money.text(amount), session.courier.outcome.code_to_show, lines, keys)
    await ui.refresh()
