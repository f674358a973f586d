# SPDX-License-Identifier: MIT
"""What of the open batch still waits for the host, and what the host refused later, with what a cashier can do about it."""

from kassa import kinds, money, transactions
from kassa.flows import receipt
from kassa.flows.shop import Shop
from kassa.vault import layout
from kassa.vault.fates import Fates
from kassa.vault.reader import Reader, fates_above

_MOST_ROWS = 50
_SHOWN = (0, layout.DEFERRED, layout.REVERSING, layout.REFUSED)


async def waiting(shop: Shop) -> None:
    """The list, oldest first; each line opens a page that says what will become of it."""
    ui, state = shop.ui, shop.till.journal.state
    shop.status.refused_later = 0
    found, rows = _found(shop)
    if not found:
        await ui.message("ok", ui.t("queue"), (ui.t("queue_empty"),))
        return
    title = ui.t("queue_title", state.count, money.text(state.sum)) if state.count else ui.t("queue")
    chosen = await ui.list(title, rows)
    while chosen is not None:
        await _tell(shop, *found[chosen])
        chosen = await ui.list(title, rows)


def _found(shop: Shop) -> "tuple[list[tuple[int, int]], list[tuple[str, str]]]":
    """(sequence, mark) of each that is pending, or was refused later, in the open batch; and the row it has in the list."""
    journal, t = shop.till.journal, shop.ui.t
    closed, watermark = journal.state.closed, journal.state.watermark
    fates = Fates()
    fates.clear(closed)
    for sequence, kind in fates_above(journal, closed):
        fates.set(sequence, kind)
    reader, page, found, rows = Reader(journal, closed + 1), bytearray(layout.PAGE), [], []
    while len(found) < _MOST_ROWS and reader.read(page):
        record = layout.Record(page)
        mark = fates.get(record.sequence)
        settled = not mark and (record.sequence <= watermark or record.kind == layout.INTENT)
        if mark in _SHOWN and not settled and not (mark == layout.DEFERRED and record.sequence <= watermark):
            what = "%06d  %s" % (record.stan, shop.paid_with(record))
            if mark == layout.REVERSING or mark == layout.REFUSED:
                what = t("reversing" if mark == layout.REVERSING else "refused_later")
            found.append((record.sequence, mark))
            rows.append((what, money.text(record.amount)))
    return found, rows


async def _tell(shop: Shop, sequence: int, mark: int) -> None:
    ui, page = shop.ui, bytearray(layout.PAGE)
    if Reader(shop.till.journal, sequence).read(page) != sequence:
        return
    record = layout.Record(page)
    refused = mark == layout.REFUSED
    word = "refused_later" if refused else "reversing" if mark == layout.REVERSING else "pending"
    note = _what_to_do(record.type) if refused else "reversing_note" if mark == layout.REVERSING else "accepted_note"
    lines = [ui.t("void_which", "%06d" % record.stan, shop.paid_with(record)), receipt.when(record.time), ui.t(note)]
    await ui.message("refuse" if refused else "hold", ui.t(word), lines, "E=key_ok", amount=money.text(record.amount))


def _what_to_do(kind: int) -> str:
    """About one that was refused later."""
    if kind in (kinds.CASH, kinds.CASH_REFUND):
        return "refused_cash_do"
    return "refused_refund_do" if transactions.takes_back(kind) else "refused_later_do"
