# SPDX-License-Identifier: MIT
"""One payment: its details, and its receipt printed again, marked as a duplicate."""

from micropython import const

from kassa import money, transactions
from kassa.flows.session import Session
from kassa.flows.steps import receipt

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.journal.layout import Record


async def last(session: Session) -> None:
    """The details of the newest payment."""
    record = await _newest(session)
    if record is not None:
        await show(session, record, session.last_disposition(record))


async def reprint(session: Session) -> None:
    """Print the receipt of the newest payment again."""
    record = await _newest(session)
    if record is not None:
        await print_again(session, record, session.last_disposition(record))


async def show(session: Session, record: "Record", word: str) -> None:
    """Show the details of a payment until the cashier goes back; E prints its receipt again. `word`: its disposition."""
    ui = session.ui
    rows = [
        (ui.t("row_state"), ui.t(_given_back(session, record.sequence) or word)),
        (ui.t("r_type"), ui.t("r_%02x" % record.type)),
        (ui.t("paid_with"), session.paid_with(record)),
        (ui.t("r_trace"), "%06d" % record.stan),
        (ui.t("r_date"), receipt.when(record.time)),
        (ui.t("r_batch"), "%06d" % record.batch),
    ]
    auth, rrn = _numbers(session, record)
    if auth:
        rows.append((ui.t("r_auth"), auth))
    if rrn:
        rows.append((ui.t("r_reference"), rrn))
    amount = -record.amount if transactions.returns_money(record.type) else record.amount
    while await ui.list(money.text(amount), rows, False, "key_print") is not None:
        await print_again(session, record, word)


def _given_back(session: Session, sequence: int) -> str:
    """How payment `sequence` was given back, a text key; "" if it was not."""
    from kassa.desk.originals import given_back

    kind = given_back(session.till.journal, sequence)
    return ("cash_returned" if kind == transactions.CASH_REFUND else "voided") if kind else ""


async def print_again(session: Session, record: "Record", word: str) -> None:
    """Print the receipt of a payment again, or show it where there is no printer."""
    ui = session.ui
    await ui.show("wait", ui.t("receipt_printing"), (ui.t("seconds", 4),), "=please_wait")
    from kassa.flows.steps import paper

    page = "warn", ui.t("receipt_failed"), (), ""
    await paper.print_out(session, page, True, receipt.payment, record, word, *_numbers(session, record))


async def _newest(session: Session) -> "Record | None":
    """The newest payment, or None after saying that there is none."""
    record = session.last()
    if record is None:
        await session.ui.message("ask", session.ui.t("last"), (session.ui.t("last_none"),))
    return record


def _numbers(session: Session, record: "Record") -> "tuple[str, str]":
    """Authorisation code and reference number: known only of the newest online payment, and not over a restart."""
    outcome = session.courier.outcome
    return (outcome.auth, outcome.rrn) if outcome.sequence == record.sequence else ("", "")
