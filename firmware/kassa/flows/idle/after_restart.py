# SPDX-License-Identifier: MIT
"""After a restart, and before any new sale: tells the cashier why the terminal stopped, and how the last payment ended."""

from micropython import const

from kassa import money
from kassa.desk.disposition_word import PAID, TOOK_BACK
from kassa.flows.session import Session
from kassa.vault.settings import stop_reason

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Board

_FOR_EVER = const(0x0FFFFFFF)  # ms: no timeout
_WARNINGS = ("reversing", "reversed", "unanswered")


async def report(session: Session, board: "Board") -> None:
    """Show up to three pages: why the terminal stopped, if unexpectedly; that a payment was interrupted, if one was; and
    the last payment in the journal, with an offer to print its receipt.
    """
    ui = session.ui
    reason = stop_reason.take(board.settings)
    if not reason and board.reset_cause() == "watchdog":
        reason = "watchdog"
    if reason:
        await ui.message("warn", ui.t("fault_title"), (ui.t("fault_code", reason), ui.t("fault_restart")), fresh=True)
    if session.interrupted:
        lines = (ui.t("restart_interrupted"), ui.t("restart_not_taken"))
        await ui.message("refuse", ui.t("not_taken"), lines, "E=key_ok", _FOR_EVER, fresh=True)
        session.till.journal.seen(True)
    record = session.last()
    if record is None:
        return
    word = session.last_disposition(record)
    paid = word in PAID + TOOK_BACK
    kind = "hold" if word == "accepted" else "ok" if paid else "warn" if word in _WARNINGS else "refuse"
    lines = (session.paid_with(record), ui.t("restart_receipt" if paid else "restart_title"))
    keys = "E=key_print C=key_skip" if paid else "E=key_ok"
    amount = money.text(record.amount)
    key = await ui.message(kind, ui.t(word), lines, keys, _FOR_EVER, amount, fresh=True)
    if key == ord("E") and paid:
        from kassa.flows.find import payment

        await payment.print_again(session, record, word)
