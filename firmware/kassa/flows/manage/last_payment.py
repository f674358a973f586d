# SPDX-License-Identifier: MIT
"""The newest payment: shows its details, and reprints its receipt."""

from kassa import money
from kassa.flows.session import Session
from kassa.flows.steps import receipt


async def show(session: Session) -> None:
    """Show its details and its disposition."""
    ui = session.ui
    record = session.last()
    if record is None:
        await ui.message("ask", ui.t("last"), (ui.t("last_none"),))
        return
    rows = (
        (ui.t("r_amount"), money.text(record.amount)),
        (ui.t(session.last_disposition(record)), ui.t("r_%02x" % record.type)),
        (ui.t("paid_with"), session.paid_with(record)),
        (ui.t("r_trace"), "%06d" % record.stan),
        (ui.t("r_batch"), "%06d" % record.batch),
        (ui.t("r_date"), receipt.when(record.time)),
    )
    await ui.list(ui.t("last"), rows, choose=False)


async def reprint(session: Session) -> None:
    """Print its receipt, marked as a duplicate."""
    ui = session.ui
    record = session.last()
    if record is None:
        await ui.message("ask", ui.t("last"), (ui.t("last_none"),))
        return
    await ui.show("wait", ui.t("receipt_printing"), ())
    outcome = session.courier.outcome
    numbers = (
        (outcome.auth, outcome.rrn) if outcome.sequence == record.sequence else ("", "")
    )  # not kept over a restart
    fault = await receipt.output(
        session, receipt.payment(session, record, session.last_disposition(record), *numbers, again=True)
    )
    if fault:
        key = await ui.message("warn", ui.t("receipt_failed"), (ui.t(fault),), "E=key_ok D=key_receipt")
        if key == ord("D"):
            word = session.last_disposition(record)
            await receipt.show(session, receipt.payment(session, record, word, *numbers, again=True))
