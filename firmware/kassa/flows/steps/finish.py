# SPDX-License-Identifier: MIT
"""The end of a payment: the result, the receipt, and the cashier's key."""

from micropython import const

from kassa import money
from kassa.desk.disposition import PAID, TOOK_BACK
from kassa.flows.session import Session
from kassa.flows.steps import receipt

_RESULT_MS = const(30000)


async def finish(
    session: Session, kind: str, word: str, lines: list, amount: int, auth: str = "", rrn: str = ""
) -> None:
    """Show the result at once, print the receipt, wait for the cashier."""
    ui = session.ui
    await ui.show(kind, ui.t(word), lines, "E=key_ok", money.text(amount))
    ui.keypad.flush()  # nobody skips a result with a key pressed before it stood
    record = session.last()
    if record is not None and word in PAID + TOOK_BACK:
        fault = await receipt.output(session, receipt.payment(session, record, word, auth, rrn))
        if fault:
            lines = [ui.t(fault)] + lines
    await ui.message(kind, ui.t(word), lines, "E=key_ok", _RESULT_MS, money.text(amount))
