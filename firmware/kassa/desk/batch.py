# SPDX-License-Identifier: MIT
"""The open batch: totals of the finally approved records in the journal, and DE 48 of the batch close."""

from micropython import const

from kassa import transactions
from kassa.money import pack_bcd
from kassa.vault.journal import layout
from kassa.vault.journal.dispositions import Dispositions
from kassa.vault.journal.journal import Journal
from kassa.vault.journal.reader import Reader, dispositions_above

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterable

_EFFECTS = const(8)
_ERROR = "3"  # result of a batch close: the host says why in DE 63
_MOST_REFUSED = const(64)  # listed on a settlement slip


class Totals:
    """Counts and sums (minor units) of one batch, by effect: transactions.DEBIT to transactions.OUT_OF_QR."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.counts = [0] * _EFFECTS
        self.sums = [0] * _EFFECTS
        self.not_paid = 0
        self.refused = []  # (STAN, amount) of at most 64 payments refused later: of this batch or not noted
        self.refused_more = 0  # how many more there are

    def de48(self) -> bytearray:
        """DE 48, 62 digits (31 bytes): debit and credit in home currency, result 0, then zeros for foreign cards."""
        digits = bytearray(31)
        pack_bcd(self.sums[transactions.DEBIT], digits, 0, 6)
        # the counts are three digits each: nibbles 12..14 and 27..29, the credit sum between them
        tail = self.counts[transactions.DEBIT] % 1000 * 10**12 + self.sums[transactions.CREDIT]
        pack_bcd(tail * 10**5 + self.counts[transactions.CREDIT] % 1000 * 100, digits, 6, 10)
        return digits


def of_host(de48: bytes) -> "tuple[tuple[int, int], tuple[int, int]] | None":
    """Count and sum of the debits, then of the credits, as the host has them; None if DE 48 of its answer does not say."""
    digits = de48.hex()
    if len(de48) != 31 or not digits.isdigit() or digits[30] == _ERROR:
        return None
    return (int(digits[12:15]), int(digits[:12])), (int(digits[27:30]), int(digits[15:27]))


def totals(journal: Journal, refused: "Iterable[int]" = ()) -> Totals:
    """Compute the totals of the open batch from the journal. Every record in it must have its final answer.

    `refused`: sequences of all payments refused later and not noted yet, other batches included.
    """
    state = journal.state
    result = Totals(state.batch)
    page = bytearray(256)
    for sequence in refused:
        if sequence <= state.closed and Reader(journal, sequence).read(page) == sequence:
            _refused(result, layout.Record(page))
    dispositions = Dispositions()
    dispositions.clear(state.closed)
    for sequence, kind in dispositions_above(journal, state.closed):
        dispositions.set(sequence, kind)
    reader = Reader(journal, state.closed + 1)
    while reader.read(page):
        record = layout.Record(page)
        mark = dispositions.get(record.sequence)
        if mark == layout.REFUSED or mark == layout.NOTED:
            _refused(result, record)
        if mark in layout.NOT_PAID:
            result.not_paid += 1
        else:
            _add(result, journal, record)
    return result


def _refused(result: Totals, record: layout.Record) -> None:
    if len(result.refused) < _MOST_REFUSED:
        result.refused.append(
            (record.stan, -record.amount if transactions.returns_money(record.type) else record.amount)
        )
    else:
        result.refused_more += 1


def _add(result: Totals, journal: Journal, record: layout.Record) -> None:
    """Count a finally approved record."""
    effect = transactions.effect(record.type)
    if effect != transactions.REPLACES:
        result.counts[effect] += 1
        result.sums[effect] += record.amount
        return
    page = bytearray(256)
    if Reader(journal, record.original).read(page) == record.original:
        result.sums[transactions.DEBIT] += record.amount - layout.Record(page).amount
