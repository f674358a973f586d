# SPDX-License-Identifier: MIT
"""Settles the batch: sends what is pending, compares the totals with the host, prints the slip."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from kassa import money, overlay, transactions
from kassa.flows.session import Session
from kassa.uplink import answers

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.desk.batch import Totals
    from kassa.uplink.request_result import RequestResult

_DRAIN_S = const(120)
_ANSWER_S = const(60)
_WIDTH = const(288)  # px, of the bar
_UPLOADED_PER_S = const(100)  # records; for the remaining time on the screen


async def settle(session: Session, asked: bool = True) -> None:
    """The whole settlement, from the question to the slip. `asked`: the cashier started it; else there is no question."""
    ui = session.ui
    journal = session.till.journal
    if journal.state.sequence == journal.state.closed:
        await ui.message("ask", ui.t("settle_nothing"))
        return
    if asked and not journal.state.closing:  # an unfinished close is repeated without a question
        number = ui.t("settle_batch", "%06d" % journal.state.batch)
        if await ui.message("ask", ui.t("settle_confirm"), (number,), "E=key_yes C=key_no") != ord("E"):
            return
    if not await _drained(session):
        return
    batch = await _totals(session)
    overlay.enter("closing")
    _submit(session, batch)
    if await _answered(session, batch):
        await _tell(session, batch)


async def _totals(session: Session) -> "Totals":
    from kassa.desk.batch import totals
    from kassa.vault.journal.refused_later import Search

    search = Search(session.till.journal)
    for _ in search.steps():
        await asyncio.sleep_ms(0)
    return totals(session.till.journal, search.found())


def _submit(session: Session, batch: "Totals") -> None:
    from kassa.uplink import batch_close

    batch_close.submit(session.courier, batch.de48(), session.entropy)


async def _answered(session: Session, batch: "Totals") -> bool:
    """Wait for the end while there is progress, and show the progress of an upload.

    Until the totals are sent the cashier may cancel; then the result is False.
    """
    ui, outcome, state = session.ui, session.courier.outcome, session.till.journal.state
    records, amount = state.sequence - state.closed, money.text(batch.sums[transactions.DEBIT])
    start, before, shown = ticks_ms(), 0, ()
    while not outcome.kind:
        if outcome.uploaded != before:
            start, before = ticks_ms(), outcome.uploaded
        left = _ANSWER_S - ticks_diff(ticks_ms(), start) // 1000
        if left < 0:
            break
        now = left, before, state.closing
        if now != shown:
            shown, bar = now, _WIDTH * left // _ANSWER_S
            lines, keys = [ui.t("at_most", left)], "=in_flight" if state.closing else "C=key_cancel"
            if before:
                bar = _WIDTH * (records - before) // records
                left = ui.t("settle_seconds", (records - before) // _UPLOADED_PER_S + 1)
                lines = [ui.t("settle_uploading", before, records), left]
            elif state.closing:
                lines.append(ui.t("settle_in_flight"))
            await ui.show("wait", ui.t("settle_working"), lines, keys, amount, bar)
        if await ui.key("C", 100) and not state.closing:
            session.courier.end_task()
            return False
    return True


def _counts(session: Session, batch: "Totals") -> list:
    lines = [
        session.ui.t("settle_counts", batch.counts[transactions.DEBIT], money.text(batch.sums[transactions.DEBIT]))
    ]
    if batch.counts[transactions.CREDIT]:
        lines.append(
            session.ui.t(
                "settle_credits", batch.counts[transactions.CREDIT], money.text(batch.sums[transactions.CREDIT])
            )
        )
    if any(
        [
            batch.counts[effect]
            for effect in (transactions.IN_QR, transactions.OUT_OF_QR, transactions.IN_CASH, transactions.OUT_OF_CASH)
        ]
    ):
        codes = batch.sums[transactions.IN_QR] - batch.sums[transactions.OUT_OF_QR]
        cash = batch.sums[transactions.IN_CASH] - batch.sums[transactions.OUT_OF_CASH]
        lines.append(session.ui.t("settle_beside", money.text(codes), money.text(cash)))
    return lines


async def _drained(session: Session) -> bool:
    """Wait until the host has answered everything. Returns False if the cashier cancels or it takes too long."""
    ui, status = session.ui, session.status
    start = ticks_ms()
    journal = session.till.journal
    while (
        journal.unreadable
        or status.pending_count
        or status.reversing
        or session.courier.has_pending()
        or session.courier.unanswered()
    ):
        if journal.unreadable:
            from kassa.flows.batch.unreadable_record import given_up  # loaded only when needed

            if not await given_up(session):
                return False
        lines = [ui.t("settle_waiting", status.pending_count), ui.t("settle_waiting_note")]
        left = _DRAIN_S - ticks_diff(ticks_ms(), start) // 1000
        if left < 0:
            await ui.message("warn", ui.t("settle_failed"), lines)
            return False
        lines.append(ui.t("at_most", left))
        await ui.show("wait", ui.t("settle_working"), lines, "C=key_cancel", "", _WIDTH * left // _DRAIN_S)
        if await ui.key("C", 300):
            return False
    return True


async def _tell(session: Session, batch: "Totals") -> None:
    ui = session.ui
    outcome = session.courier.outcome
    amount = money.text(batch.sums[transactions.DEBIT])
    if outcome.kind == answers.YES and outcome.uploaded:
        lines = _both(session, batch) + [ui.t("settle_uploaded", outcome.uploaded)]
        if outcome.disputed:
            lines.append(ui.t("settle_disputed", outcome.disputed))
        await _finish(session, ("warn", ui.t("settle_unbalanced"), lines, amount), batch, False, outcome)
    elif outcome.kind == answers.YES:
        lines = _counts(session, batch) + [ui.t("settle_balanced_note")]
        await _finish(session, ("ok", ui.t("settle_balanced"), lines, amount), batch, True)
    elif outcome.kind == answers.NO and not outcome.totals:
        await ui.message("ask", ui.t("closed"), (ui.t("settle_by_host"),))
    elif session.courier.fault == "rollback":
        lines = (ui.t("call_supervisor"), ui.t("quarantined"))
        await ui.message("warn", ui.t("settle_failed"), lines, "E=key_ok", amount=amount)
    elif outcome.kind == answers.NO:
        lines = _both(session, batch) + [ui.t("settle_unbalanced_note")]
        await _finish(session, ("warn", ui.t("settle_unbalanced"), lines, amount), batch, False)
    else:
        session.courier.end_task()
        from kassa.flows.steps import certificate_notes

        await ui.message(
            "warn", ui.t("settle_failed"), (certificate_notes.no_answer_reason(session),), "E=key_ok", amount=amount
        )


def _both(session: Session, batch: "Totals") -> list:
    """What terminal and host count: the debits, or the credits if only these differ. Without figures, the host's words."""
    from kassa.desk.batch import of_host

    ui, outcome = session.ui, session.courier.outcome
    ours = [(batch.counts[effect], batch.sums[effect]) for effect in (transactions.DEBIT, transactions.CREDIT)]
    theirs = of_host(outcome.totals)
    if theirs is None:
        return [outcome.text] if outcome.text else []
    at = 1 if ours[0] == theirs[0] and ours[1] != theirs[1] else 0
    return [
        ui.t(key, count, money.text(amount))
        for key, (count, amount) in (("settle_terminal", ours[at]), ("settle_host", theirs[at]))
    ]


async def _finish(
    session: Session, page: tuple, batch: "Totals", balanced: bool, outcome: "RequestResult | None" = None
) -> None:
    """Print the slip, then show the result. `page`: kind, title, lines and amount, see Ui.message."""
    from kassa.flows.steps import paper, receipt

    kind, title, lines, amount = page
    await paper.print_out(session, page, False, receipt.settlement, batch, balanced, outcome)
    await session.ui.message(kind, title, lines, "E=key_ok", amount=amount)
