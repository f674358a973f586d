# SPDX-License-Identifier: MIT
"""Settles the batch: send what waits, compare totals with the host, print the slip."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from kassa import kinds, money
from kassa.flows import receipt
from kassa.flows.shop import Shop
from kassa.modules import forget
from kassa.uplink import answers

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.desk.batch import Totals

_DRAIN_MS = const(120000)
_ANSWER_MS = const(60000)
_UPLOADED_PER_S = const(100)  # records, told to who waits


async def settle(shop: Shop, asked: bool = True) -> None:
    """From the question to the slip. `asked`: by the cashier; else nobody need be there."""
    ui = shop.ui
    journal = shop.till.journal
    if journal.state.sequence == journal.state.closed:
        await ui.message("ask", ui.t("settle_nothing"))
        return
    if asked and not journal.state.closing:  # one whose answer is missing is repeated without a question
        number = ui.t("settle_batch", "%06d" % journal.state.batch)
        if await ui.message("ask", ui.t("settle_confirm"), (number,), "E=key_yes C=key_no") != ord("E"):
            return
    if not await _drained(shop):
        return
    from kassa.desk.batch import totals  # and gone before the host is asked
    from kassa.vault.refusals import Search

    search = Search(journal)
    for _ in search.steps():
        await asyncio.sleep_ms(0)
    batch = totals(journal, search.found())
    del totals, Search, search
    forget("kassa.desk.batch")
    forget("kassa.vault.refusals")
    await ui.show("wait", ui.t("settle_working"), _counts(shop, batch), "", money.text(batch.sums[kinds.DEBIT]))
    from kassa.uplink import close

    close.submit(shop.courier, batch.de48(), shop.entropy)
    del close
    await _answered(shop, batch)
    await _tell(shop, batch)


async def _answered(shop: Shop, batch: "Totals") -> None:
    """Wait for the end, as long as there is progress; an upload shows how far it is."""
    ui, outcome = shop.ui, shop.courier.outcome
    start, before = ticks_ms(), 0
    while not outcome.kind and ticks_diff(ticks_ms(), start) < _ANSWER_MS:
        if outcome.uploaded != before:
            start, before = ticks_ms(), outcome.uploaded
            state = shop.till.journal.state
            records = state.sequence - state.closed
            left = ui.t("settle_seconds", (records - before) // _UPLOADED_PER_S + 1)
            lines = (ui.t("settle_uploading", before, records), left)
            await ui.show("wait", ui.t("settle_working"), lines, "", money.text(batch.sums[kinds.DEBIT]))
        await asyncio.sleep_ms(100)


def _counts(shop: Shop, batch: "Totals") -> list:
    lines = [shop.ui.t("settle_counts", batch.counts[kinds.DEBIT], money.text(batch.sums[kinds.DEBIT]))]
    if batch.counts[kinds.CREDIT]:
        lines.append(shop.ui.t("settle_credits", batch.counts[kinds.CREDIT], money.text(batch.sums[kinds.CREDIT])))
    if any([batch.counts[effect] for effect in (kinds.IN_QR, kinds.OUT_OF_QR, kinds.IN_CASH, kinds.OUT_OF_CASH)]):
        codes = batch.sums[kinds.IN_QR] - batch.sums[kinds.OUT_OF_QR]
        cash = batch.sums[kinds.IN_CASH] - batch.sums[kinds.OUT_OF_CASH]
        lines.append(shop.ui.t("settle_beside", money.text(codes), money.text(cash)))
    return lines


async def _drained(shop: Shop) -> bool:
    """Wait until the host has answered everything; False when the cashier gives up or it takes too long."""
    ui, status = shop.ui, shop.status
    start = ticks_ms()
    journal = shop.till.journal
    while (
        journal.unreadable
        or status.pending_count
        or status.reversing
        or shop.courier.owes()
        or shop.courier.flights.count
    ):
        if journal.unreadable:
            from kassa.flows.lost import given_up  # hardly ever

            if not await given_up(shop):
                return False
        lines = (ui.t("settle_waiting", status.pending_count), ui.t("settle_waiting_note"))
        if ticks_diff(ticks_ms(), start) > _DRAIN_MS:
            await ui.message("warn", ui.t("settle_failed"), lines)
            return False
        await ui.show("wait", ui.t("settle_working"), lines, "C=key_cancel")
        if await ui.key("C", 300):
            return False
    return True


async def _tell(shop: Shop, batch: "Totals") -> None:
    ui = shop.ui
    outcome = shop.courier.outcome
    amount = money.text(batch.sums[kinds.DEBIT])
    if outcome.kind == answers.YES and outcome.uploaded:
        lines = [outcome.text or ui.t("settle_balanced_note"), ui.t("settle_uploaded", outcome.uploaded)]
        if outcome.disputed:
            lines.append(ui.t("settle_disputed", outcome.disputed))
        fault = await receipt.output(shop, receipt.settlement(shop, batch, False, outcome))
        lines = ([ui.t(fault)] if fault else []) + lines
        await ui.message("warn", ui.t("settle_unbalanced"), lines, "E=key_ok", amount=amount)
    elif outcome.kind == answers.YES:
        fault = await receipt.output(shop, receipt.settlement(shop, batch, True))
        lines = ([ui.t(fault)] if fault else []) + _counts(shop, batch) + [ui.t("settle_balanced_note")]
        await ui.message("ok", ui.t("settle_balanced"), lines, "E=key_ok", amount=amount)
    elif outcome.kind == answers.NO and not outcome.totals:
        await ui.message("ask", ui.t("closed"), (ui.t("settle_by_host"),))
    elif shop.courier.fault == "rollback":
        lines = (ui.t("call_supervisor"), ui.t("quarantined"))
        await ui.message("warn", ui.t("settle_failed"), lines, "E=key_ok", amount=amount)
    elif outcome.kind == answers.NO:
        lines = [
            ui.t("settle_terminal", batch.counts[kinds.DEBIT], amount),
            outcome.text or ui.t("settle_unbalanced_note"),
        ]
        await receipt.output(shop, receipt.settlement(shop, batch, False))
        await ui.message("warn", ui.t("settle_unbalanced"), lines, "E=key_ok", amount=amount)
    else:
        shop.courier.forget_errand()
        from kassa.flows import validity

        await ui.message("warn", ui.t("settle_failed"), (validity.silence(shop),), "E=key_ok", amount=amount)
