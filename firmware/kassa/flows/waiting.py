# SPDX-License-Identifier: MIT
"""What the host refused later, until somebody notes it, with what a cashier can do about it; and what still waits for the
host."""

import asyncio

from kassa import kinds, money, transactions
from kassa.errors import FlashFault, JournalFull
from kassa.flows import receipt
from kassa.flows.shop import Shop
from kassa.modules import forget
from kassa.vault import layout
from kassa.vault.fates import Fates
from kassa.vault.reader import Reader, fates_above

_MOST_ROWS = 50
_MOST_REFUSED = 30  # of them: what is pending is listed too
_SHOWN = (0, layout.DEFERRED, layout.REVERSING)


async def waiting(shop: Shop) -> None:
    """The list, what was refused first, each oldest first; a line opens a page that says what will become of it."""
    ui, state = shop.ui, shop.till.journal.state
    chosen = 0
    while chosen is not None:
        await ui.show("wait", ui.t("queue"), (ui.t("please_wait"),))
        found, rows = await _found(shop)
        if not found:
            await ui.message("ok", ui.t("queue"), (ui.t("queue_empty"),))
            return
        title = ui.t("queue_title", state.count, money.text(state.sum)) if state.count else ui.t("queue")
        chosen = await ui.list(title, rows)
        if chosen is not None:
            await _tell(shop, *found[chosen])


async def _found(shop: Shop) -> "tuple[list[tuple[int, int]], list[tuple[str, str]]]":
    """(sequence, mark) of each that was refused later and not noted, or is pending; and the row it has in the list."""
    journal, t = shop.till.journal, shop.ui.t
    closed, watermark = journal.state.closed, journal.state.watermark
    fates = Fates()
    fates.clear(closed)
    for sequence, kind in fates_above(journal, closed):
        fates.set(sequence, kind)
    page, found, rows = bytearray(layout.PAGE), [], []
    from kassa.vault.refusals import Search

    search = Search(journal)
    for _ in search.steps():
        await asyncio.sleep_ms(0)
    for sequence in search.found():
        if len(found) == _MOST_REFUSED:
            break
        if Reader(journal, sequence).read(page) == sequence:
            found.append((sequence, layout.REFUSED))
            rows.append((t("refused_later"), money.text(layout.Record(page).amount)))
    del Search, search
    forget("kassa.vault.refusals")
    shop.status.queue(journal.state)
    reader = Reader(journal, closed + 1)
    while len(found) < _MOST_ROWS and reader.read(page):
        record = layout.Record(page)
        mark = fates.get(record.sequence)
        settled = not mark and (record.sequence <= watermark or record.kind == layout.INTENT)
        if mark in _SHOWN and not settled and not (mark == layout.DEFERRED and record.sequence <= watermark):
            what = t("reversing") if mark == layout.REVERSING else "%06d  %s" % (record.stan, shop.paid_with(record))
            found.append((record.sequence, mark))
            rows.append((what, money.text(record.amount)))
    return found, rows


async def _tell(shop: Shop, sequence: int, mark: int) -> None:
    ui, journal, page = shop.ui, shop.till.journal, bytearray(layout.PAGE)
    if Reader(journal, sequence).read(page) != sequence:
        return
    record = layout.Record(page)
    refused = mark == layout.REFUSED
    word = "refused_later" if refused else "reversing" if mark == layout.REVERSING else "pending"
    note = _what_to_do(record.type) if refused else "reversing_note" if mark == layout.REVERSING else "accepted_note"
    lines = [ui.t("void_which", "%06d" % record.stan, shop.paid_with(record)), receipt.when(record.time), ui.t(note)]
    kind, keys = ("refuse", "E=key_noted C=key_back") if refused else ("hold", "E=key_ok")
    key = await ui.message(kind, ui.t(word), lines, keys, amount=money.text(record.amount), fresh=refused)
    if refused and key == ord("E"):
        try:
            journal.mark(layout.NOTED, sequence)
        except (FlashFault, JournalFull):
            await ui.message("warn", ui.t("fault_flash"), (ui.t("refused_later"),), "E=key_ok")


def _what_to_do(kind: int) -> str:
    """About one that was refused later."""
    if kind in (kinds.CASH, kinds.CASH_REFUND):
        return "refused_cash_do"
    return "refused_refund_do" if transactions.takes_back(kind) else "refused_later_do"
