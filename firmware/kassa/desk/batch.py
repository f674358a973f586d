# SPDX-License-Identifier: MIT
"""The open batch: its totals from the journal's records with a final yes, and DE 48 of the batch close."""

from kassa import kinds, transactions
from kassa.money import pack_bcd
from kassa.vault import layout
from kassa.vault.fates import Fates
from kassa.vault.journal import Journal
from kassa.vault.reader import Reader, fates_above


class Totals:
    """Counts and sums (minor units) of one batch."""

    def __init__(self, batch: int) -> None:
        self.batch = batch
        self.debit_count = 0
        self.debit_sum = 0
        self.credit_count = 0
        self.credit_sum = 0
        self.qr_count = 0
        self.qr_sum = 0
        self.cash_count = 0
        self.cash_sum = 0
        self.qr_back_count = 0
        self.qr_back_sum = 0
        self.cash_back_count = 0
        self.cash_back_sum = 0
        self.not_paid = 0

    def de48(self) -> bytearray:
        """62 digits (31 bytes): debit and credit of the home currency, result 0, then zeros for foreign cards."""
        digits = bytearray(31)
        pack_bcd(self.debit_sum, digits, 0, 6)
        # the counts are three digits each: nibbles 12..14 and 27..29, the credit sum between them
        tail = self.debit_count % 1000 * 10**12 + self.credit_sum
        pack_bcd(tail * 10**5 + self.credit_count % 1000 * 100, digits, 6, 10)
        return digits


def totals(journal: Journal) -> Totals:
    """Read the open batch off the journal. Everything in it must have its final answer."""
    state = journal.state
    result = Totals(state.batch)
    fates = Fates()
    fates.clear(state.closed)
    for sequence, kind in fates_above(journal, state.closed):
        fates.set(sequence, kind)
    reader = Reader(journal, state.closed + 1)
    page = bytearray(256)
    while reader.read(page):
        record = layout.Record(page)
        if fates.get(record.sequence) in layout.NOT_PAID:
            result.not_paid += 1
        else:
            _add(result, journal, record)
    return result


def _add(result: Totals, journal: Journal, record: layout.Record) -> None:
    """Count a record with a final yes."""
    effect = transactions.effect(record.type)
    if effect == kinds.DEBIT:
        result.debit_count += 1
        result.debit_sum += record.amount
    elif effect == kinds.CREDIT:
        result.credit_count += 1
        result.credit_sum += record.amount
    elif effect == kinds.IN_CASH:
        result.cash_count += 1
        result.cash_sum += record.amount
    elif effect == kinds.IN_QR:
        result.qr_count += 1
        result.qr_sum += record.amount
    elif effect == kinds.OUT_OF_CASH:
        result.cash_back_count += 1
        result.cash_back_sum += record.amount
    elif effect == kinds.OUT_OF_QR:
        result.qr_back_count += 1
        result.qr_back_sum += record.amount
    elif effect == kinds.INSTEAD:
        page = bytearray(256)
        if Reader(journal, record.original).read(page) == record.original:
            result.debit_sum += record.amount - layout.Record(page).amount
