# SPDX-License-Identifier: MIT
"""The list of payments that the host refused later and nobody has acknowledged, and of those still pending."""

import asyncio

from kassa import money, transactions
from kassa.errors import FlashFault, JournalFull
from kassa.flows.session import Session
from kassa.flows.steps import receipt
from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import Dispositions
from kassa.vault.journal.reader import Reader, dispositions_above

_MOST_ROWS = 50
_MOST_REFUSED = 30  # of these rows, to leave room for pending payments
_SHOWN = (0, layout.DEFERRED, layout.REVERSING)


async def show(session: Session) -> None:
    """Show the list: refused payments first, then pending ones, oldest first. A row opens a page that says what to do."""
    await _show(session, "queue", "queue_empty", _MOST_ROWS)


async def refused(session: Session) -> None:
    """Show the list of the refused payments alone."""
    await _show(session, "refused_list", "refused_none", 0)


async def _show(session: Session, name: str, empty: str, most: int) -> None:
    """`name`, `empty`: text keys of the title and of an empty list. `most`: rows at which no more pending ones are added."""
    ui, state = session.ui, session.till.journal.state
    chosen = 0
    while chosen is not None:
        await ui.show("wait", ui.t(name), (ui.t("seconds", 2),), "=please_wait")
        found, rows = await _found(session, most)
        if not found:
            await ui.message("ok" if most else "ask", ui.t(name), (ui.t(empty),))
            return
        title = ui.t("queue_title", state.count, money.text(state.sum)) if most and state.count else ui.t(name)
        chosen = await ui.list(title, rows, at=chosen)
        if chosen is not None:
            await _tell(session, *found[chosen])


async def _found(session: Session, most: int) -> "tuple[list[tuple[int, int]], list[tuple[str, str]]]":
    """(sequence, mark) of each refused payment without the mark NOTED and of each pending one, and their rows in the list."""
    journal, t = session.till.journal, session.ui.t
    closed, watermark = journal.state.closed, journal.state.watermark
    dispositions = Dispositions()
    dispositions.clear(closed)
    for sequence, kind in dispositions_above(journal, closed):
        dispositions.set(sequence, kind)
    page, found, rows = bytearray(layout.PAGE), [], []
    from kassa.vault.journal.refused_later import Search

    search = Search(journal)
    for _ in search.steps():
        await asyncio.sleep_ms(0)
    for sequence in search.found():
        if len(found) == _MOST_REFUSED:
            break
        if Reader(journal, sequence).read(page) == sequence:
            found.append((sequence, layout.REFUSED))
            record = layout.Record(page)
            rows.append(("%06d  %s" % (record.stan, t("refused_later")), money.text(record.amount)))
    session.status.set_pending(journal.state)
    reader = Reader(journal, closed + 1)
    while len(found) < most and reader.read(page):
        record = layout.Record(page)
        mark = dispositions.get(record.sequence)
        settled = not mark and (record.sequence <= watermark or record.kind == layout.INTENT)
        if mark in _SHOWN and not settled and not (mark == layout.DEFERRED and record.sequence <= watermark):
            what = t("reversing") if mark == layout.REVERSING else "%06d  %s" % (record.stan, session.paid_with(record))
            found.append((record.sequence, mark))
            rows.append((what, money.text(record.amount)))
    return found, rows


async def _tell(session: Session, sequence: int, mark: int) -> None:
    ui, journal, page = session.ui, session.till.journal, bytearray(layout.PAGE)
    if Reader(journal, sequence).read(page) != sequence:
        return
    record = layout.Record(page)
    refused = mark == layout.REFUSED
    from kassa.desk.disposition_word import disposition

    note = _what_to_do(record.type) if refused else "reversing_note" if mark == layout.REVERSING else "accepted_note"
    lines = [ui.t("void_which", "%06d" % record.stan, session.paid_with(record)), receipt.when(record.time), ui.t(note)]
    kind, keys = ("refuse", "E=key_noted C=key_back") if refused else ("hold", "E=key_ok")
    word = ui.t(disposition(record, mark))
    key = await ui.message(kind, word, lines, keys, amount=money.text(record.amount), fresh=refused)
    if refused and key == ord("E"):
        try:
            journal.mark(layout.NOTED, sequence)
        except (FlashFault, JournalFull):
            await ui.message("warn", ui.t("fault_flash"), (ui.t("refused_later"),), "E=key_ok")


def _what_to_do(kind: int) -> str:
    """The text key of what to do about a payment that was refused later. `kind`: of transactions.py."""
    if kind in (transactions.CASH, transactions.CASH_REFUND):
        return "refused_cash_do"
    return "refused_refund_do" if transactions.returns_money(kind) else "refused_later_do"
