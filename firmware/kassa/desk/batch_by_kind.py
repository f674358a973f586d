# SPDX-License-Identifier: MIT
"""What the open batch holds by kind of payment and by operator, final or still waiting, as the receipts so far say it."""

from micropython import const

from kassa import transactions
from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import Dispositions
from kassa.vault.journal.reader import Reader, dispositions_above

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

    from kassa.vault.journal.journal import Journal

# A kind: its text key, then its types (60.1, hexadecimal). A string, because a dict takes heap.
_KINDS = """
r_debit 22 30
sum_completion 20 24
sum_tip 32 34
r_qr 74 75
r_cash 71
sum_void 21 23
sum_refund 25
r_qr_back 76
r_cash_back 77
sum_preauth 10
"""
_AT_ONCE = const(32)  # marks or records


class BatchByKind:
    """Count them with `steps`; then `counts` and `sums` (minor units, negative for money returned) by index of `names`.

    `operator`: number -> [count, sum] of who took something, the same payments as in `total`.
    """

    def __init__(self, journal: "Journal") -> None:
        self.names = [line.split()[0] for line in _KINDS.strip().split("\n")]
        self.counts = [0] * len(self.names)
        self.sums = [0] * len(self.names)
        self.operator: "dict[int, list[int]]" = {}
        self.total = 0  # of everything but pre-authorisations, minor units
        self._journal = journal

    def steps(self) -> "Iterator[None]":
        """Read some marks or records at a time."""
        journal, state = self._journal, self._journal.state
        dispositions, page, count = Dispositions(), bytearray(layout.PAGE), 0
        dispositions.clear(state.closed)
        for sequence, kind in dispositions_above(journal, state.closed):
            dispositions.set(sequence, kind)
            count += 1
            if not count % _AT_ONCE:
                yield
        reader = Reader(journal, state.closed + 1)
        while reader.read(page):
            record = layout.Record(page)
            if counts(record, dispositions.get(record.sequence), state.watermark):
                self._add(record)
            count += 1
            if not count % _AT_ONCE:
                yield

    def _add(self, record: layout.Record) -> None:
        start = _KINDS.find(" %02x" % record.type)
        if start < 0:  # moves no money
            return
        index = _KINDS.count("\n", 0, start) - 1
        amount = -record.amount if transactions.returns_money(record.type) else record.amount
        if transactions.effect(record.type) == transactions.REPLACES:
            amount -= self._original(record)
        self.counts[index] += 1
        self.sums[index] += amount
        if record.type != transactions.PREAUTH:
            self.total += amount
            mine = self.operator.setdefault(record.operator, [0, 0])
            mine[0] += 1
            mine[1] += amount

    def _original(self, record: layout.Record) -> int:
        """The amount of the payment that a tip or an adjustment is about."""
        page = bytearray(layout.PAGE)
        found = Reader(self._journal, record.original).read(page) == record.original
        return layout.Record(page).amount if found else record.amount


def counts(record: layout.Record, mark: int, watermark: int) -> bool:
    """Whether a payment counts as taken so far. `mark`: the kind of the last mark about it, 0 = none."""
    asking = record.kind == layout.INTENT and not mark and record.sequence > watermark
    return not asking and mark not in layout.NOT_PAID
