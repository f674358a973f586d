# SPDX-License-Identifier: MIT
"""The totals of the open batch by kind of payment and by operator, and what of it waits: on the screen and printed."""

import asyncio

from micropython import const

from kassa import money
from kassa.desk.operators import NOBODY
from kassa.flows.find import slip
from kassa.flows.session import Session

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassa.desk.batch_by_kind import BatchByKind


async def totals(session: Session) -> None:
    """Count the batch and show its totals; E prints them."""
    ui = session.ui
    await ui.show("wait", ui.t("totals"), (ui.t("seconds", 2),), "=please_wait")
    batch = await _counted(session)
    rows = _rows(session, batch)
    while await ui.list(ui.t("totals"), rows, False, "key_print") is not None:
        await slip.output(session, _lines, batch.total, rows)


async def _counted(session: Session) -> "BatchByKind":
    from kassa.desk.batch_by_kind import BatchByKind

    batch = BatchByKind(session.till.journal)
    for _ in batch.steps():
        await asyncio.sleep_ms(0)
    return batch


def _rows(session: Session, batch: "BatchByKind") -> list:
    """The total, each kind that occurred, what waits, and each operator where operators log in."""
    t, state = session.ui.t, session.till.journal.state
    rows = [(t("sum_total"), money.text(batch.total))]
    for index in range(len(batch.names)):
        if batch.counts[index]:
            kind = "%s  %d" % (t(batch.names[index]), batch.counts[index])
            rows.append((kind, money.text(batch.sums[index])))
    if state.count:
        rows.append(("%s  %d" % (t("sum_waits"), state.count), money.text(state.sum)))
    if session.operator < NOBODY:
        for who in sorted(batch.operator):
            count, worth = batch.operator[who]
            rows.append(("%s  %d" % (t("operator_now", "%02d" % who), count), money.text(worth)))
    return rows


def _lines(session: Session, total: int, rows: list, again: bool = False) -> "Iterator[tuple]":
    yield from slip.head(session, "totals", again)
    for left, right in rows[1:]:
        yield left + "\t" + right, 0, False, 1
    yield slip.RULE
    yield session.ui.t("sum_total"), 0, False, 1
    yield money.text(total), 2, True, 2
