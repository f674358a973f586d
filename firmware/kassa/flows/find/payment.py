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
    amount = money.text(-record.amount if transactions.returns_money(record.type) else record.amount)
    while await session.ui.list(amount, _rows(session, record, word), False, "key_print") is not None:
        await print_again(session, record, word)


def _rows(session: Session, record: "Record", word: str) -> list:
    from kassa.flows.find import numbers

    t = session.ui.t
    rows = [
        (t("row_state"), t(_given_back(session, record.sequence) or word)),
        (t("r_type"), t("r_%02x" % record.type)),
        (t("paid_with"), session.paid_with(record)),
        (t("r_trace"), "%06d" % record.stan),
        (t("r_date"), receipt.when(record.time)),
        (t("r_batch"), "%06d" % record.batch),
    ]
    names = ("r_auth", "r_reference")
    return rows + [(t(names[at]), number) for at, number in enumerate(numbers.known(session, record)) if number]


def _given_back(session: Session, sequence: int) -> str:
    """How payment `sequence` was given back, a text key; "" if it was not."""
    from kassa.desk.originals import given_back

    kind = given_back(session.till.journal, sequence)
    return ("cash_returned" if kind == transactions.CASH_REFUND else "voided") if kind else ""


async def print_again(session: Session, record: "Record", word: str) -> None:
    """Print the receipt of a payment again, or show it where there is no printer. One that was given back says so."""
    ui, given = session.ui, _given_back(session, record.sequence)
    if given:
        word = "r_voided" if given == "voided" else given
    from kassa.flows.find import numbers

    both = await numbers.asked(session, record)
    await ui.show("wait", ui.t("receipt_printing"), (ui.t("seconds", 4),), "=please_wait")
    from kassa.flows.steps import paper

    page = "warn", ui.t("receipt_failed"), (), ""
    await paper.print_out(session, page, True, receipt.payment, record, word, *both)


async def _newest(session: Session) -> "Record | None":
    """The newest payment, or None after saying that there is none."""
    record = session.last()
    if record is None:
        await session.ui.message("ask", session.ui.t("last"), (session.ui.t("last_none"),))
    return record
