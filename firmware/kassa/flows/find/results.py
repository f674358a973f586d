# SPDX-License-Identifier: MIT
"""The search through the journal, with its progress, and the list of what was found, each payment with its details."""

import asyncio

from micropython import const

from kassa import money, transactions
from kassa.desk.disposition_word import PAID, TOOK_BACK, disposition
from kassa.flows.session import Session
from kassa.screens import theme
from kassa.screens.font import TEXT
from kassa.vault.journal import layout
from kassa.vault.journal.newest_first import NewestFirst
from kassa.vault.journal.reader import Reader

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.journal.layout import Record

_DAY = const(86400)
_MOST = const(24)  # payments listed at once: four pages; then the list offers to go on
_LOOK_MS = const(1)
_WORD = const(120)  # pixels for a word in a list
WAITS = ("accepted", "approved_card", "unanswered")
_PAYMENTS = (
    transactions.SALE,
    transactions.VOICE_SALE,
    transactions.CASH,
    transactions.QR_SCANNED,
    transactions.QR_SHOWN,
)
_QUEUE = "\ue108 "


async def find(session: Session, title: str, what: str, value: "int | str") -> None:
    """Search, and show what was found. `what`: trace, amount, card, date or state; `value`: that of the payments wanted."""
    ui, whole, at = session.ui, NewestFirst(session.till.journal), 0
    found = await _search(session, whole, title, what, value)
    if not found and not whole.left:
        await ui.message("ask", title, (ui.t("find_none"),))
    while found:
        whole.refresh()
        rows = Rows(session, whole, found)
        chosen = 0 if len(rows) == 1 else await ui.list(title, rows, at=at)
        if chosen is None:
            return
        at = chosen % len(found)
        if chosen < len(found):
            await _open(session, whole, found[chosen])
            if len(rows) == 1:
                return
        else:
            found = await _search(session, whole, title, what, value)
            if not found and not whole.left:
                await ui.message("ask", title, (ui.t("find_no_more"),))


async def _search(session: Session, whole: NewestFirst, title: str, what: str, value: "int | str") -> list:
    """The sequences of the next payments found, newest first. Fewer than there are if the cashier cancels."""
    ui, found = session.ui, []
    sectors = max(1, whole.left)
    while whole.left and len(found) < _MOST and not (found and what == "trace"):
        done = ui.t("find_progress", 100 * (sectors - whole.left) // sectors, len(found))
        await ui.show("wait", title, (done,), "C=key_cancel")
        here = [record.sequence for record in whole.records() if _fits(whole, record, what, value)]
        here.reverse()
        found += here
        await asyncio.sleep_ms(0)
        if await ui.key("C", _LOOK_MS):
            break
    if found and what == "trace":
        whole.left = 0  # there is only one
    return found


def _fits(whole: NewestFirst, record: "Record", what: str, value: "int | str") -> bool:
    if what == "trace":
        return record.stan == value
    if what == "amount":
        return record.amount == value
    if what == "card":
        return record.last4 == value and record.first6 != "000000"
    if what == "date":
        return record.time // _DAY == value
    return state_of(record, whole.mark(record)) == value


def state_of(record: "Record", mark: int) -> str:
    """The state of a payment as a search names it, a text key. `mark`: the kind of the mark that decided it."""
    if mark in (layout.YES, layout.WATERMARK):
        return "approved"
    if mark in (layout.REFUSED, layout.NOTED):
        return "refused_later"
    if mark == layout.DECLINED:
        return "declined"
    if mark in (layout.VOIDED, layout.REPORTED, layout.LOST):
        return "not_taken"
    return "pending" if record.kind == layout.ACCEPTED or mark == layout.DEFERRED else "reversed"


async def _open(session: Session, whole: NewestFirst, sequence: int) -> None:
    """Show the details of a payment."""
    page = bytearray(layout.PAGE)
    if Reader(whole.journal, sequence).read(page) == sequence:
        from kassa.flows.find import payment

        record = layout.Record(page)
        await payment.show(session, record, disposition(record, whole.mark(record)))


class Rows:
    """The rows of a list of payments, each read from the journal when it is drawn."""

    def __init__(self, session: Session, whole: NewestFirst, found: "list[int]") -> None:
        self._session = session
        self._whole = whole
        self._found = found
        self._page = bytearray(layout.PAGE)

    def __len__(self) -> int:
        return len(self._found) + (1 if self._whole.left else 0)

    def __getitem__(self, index: int) -> "tuple[str, str]":
        if index == len(self._found):
            return self._session.ui.t("row_older"), ""
        sequence = self._found[index]
        if Reader(self._whole.journal, sequence).read(self._page) != sequence:
            return self._session.ui.t("lost"), ""
        record = layout.Record(self._page)
        return row(self._session, record, disposition(record, self._whole.mark(record)))


def row(session: Session, record: "Record", word: str) -> "tuple[str, str]":
    """A payment in a list: trace number and how it was paid, or what it is if it is no sale, or why it was not paid; and its
    amount, negative if returned.

    A sign in front: it waits to be sent, or it was not paid. The details have the whole word.
    """
    t, sign, said = session.ui.t, "", kind_of(session, record)
    if word in WAITS:
        sign = _QUEUE
    elif word not in PAID + TOOK_BACK:
        sign = theme.WARNING
        if session.ui.canvas.measure(TEXT, t(word)) <= _WORD:
            said = t(word)
    return "%s%06d  %s" % (sign, record.stan, said), signed(record)


def kind_of(session: Session, record: "Record") -> str:
    """How a sale was paid, or what the payment is if it is no sale, as text."""
    return session.paid_with(record) if record.type in _PAYMENTS else session.ui.t("r_%02x" % record.type)


def signed(record: "Record") -> str:
    """The amount of a payment as text, negative if money was returned."""
    return money.text(-record.amount if transactions.returns_money(record.type) else record.amount)
