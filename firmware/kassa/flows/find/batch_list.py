# SPDX-License-Identifier: MIT
"""Every payment of the open batch, newest first: on the screen, each with its details, and printed."""

from micropython import const

from kassa.desk.disposition_word import PAID, TOOK_BACK, disposition
from kassa.flows.find import results, slip
from kassa.flows.session import Session
from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import Dispositions
from kassa.vault.journal.reader import Reader, dispositions_above

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator


async def batch_list(session: Session) -> None:
    """Show the list; E opens a payment, M prints the list."""
    ui, state = session.ui, session.till.journal.state
    chosen: "int | None" = 0
    at = 0
    while chosen is not None:
        rows = _Rows(session)
        if not len(rows):
            await ui.message("ask", ui.t("detail"), (ui.t("detail_none"),))
            return
        chosen = await ui.list(ui.t("detail"), rows, True, "key_print", at)
        if chosen == -1:
            await slip.output(session, _lines, keys="C=key_cancel", seconds=4 + len(rows) // 8)
        elif chosen is not None and state.sequence - chosen > state.closed:
            at = chosen
            await rows.open(chosen)


class _Rows:
    """The rows of the list, each read from the journal when it is drawn."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._page = bytearray(layout.PAGE)
        self._marks = marks(session)

    def __len__(self) -> int:
        state = self._session.till.journal.state
        return state.sequence - state.closed

    def __getitem__(self, index: int) -> "tuple[str, str]":
        record = self._record(index)
        if record is None:
            return self._session.ui.t("lost"), ""
        return results.row(self._session, record, self._word(record))

    async def open(self, index: int) -> None:
        """Show the details of a payment."""
        record = self._record(index)
        if record is not None:
            from kassa.flows.find import payment

            await payment.show(self._session, record, self._word(record))

    def _record(self, index: int) -> "layout.Record | None":
        journal = self._session.till.journal
        sequence = journal.state.sequence - index
        if Reader(journal, sequence).read(self._page) != sequence:
            return None
        return layout.Record(self._page)

    def _word(self, record: layout.Record) -> str:
        return word(self._session, self._marks, record)


def marks(session: Session) -> Dispositions:
    """What was decided about the payments of the open batch."""
    journal, found = session.till.journal, Dispositions()
    found.clear(journal.state.closed)
    for sequence, kind in dispositions_above(journal, journal.state.closed):
        found.set(sequence, kind)
    return found


def word(session: Session, found: Dispositions, record: layout.Record) -> str:
    """The disposition of a payment of the open batch, a text key."""
    mark = found.get(record.sequence)
    if mark not in layout.NOT_PAID and record.sequence <= session.till.journal.state.watermark:
        mark = layout.WATERMARK
    return disposition(record, mark)


def _lines(session: Session, again: bool = False) -> "Iterator[tuple]":
    """The printed list, oldest first; C ends it. A payment that was not paid has its word in a line of its own."""
    yield from slip.head(session, "detail", again)
    journal, page, found, count = session.till.journal, bytearray(layout.PAGE), marks(session), 0
    reader = Reader(journal, journal.state.closed + 1)
    while reader.read(page):
        record = layout.Record(page)
        said, count = word(session, found, record), count + 1
        yield "%06d %s" % (record.stan, results.kind_of(session, record)) + "\t" + results.signed(record), 0, False, 1
        if said not in PAID + TOOK_BACK or said in results.WAITS:
            yield "  " + session.ui.t(said), 0, False, 1
        if session.ui.keypad.take() == ord("C"):
            yield slip.RULE
            yield session.ui.t("cancelled"), 1, True, 1
            return
    yield slip.RULE
    yield session.ui.t("detail_count") + "\t" + "%d" % count, 0, True, 1
