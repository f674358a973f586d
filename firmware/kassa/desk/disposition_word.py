# SPDX-License-Identifier: MIT
"""Maps a payment's record and mark to the text key that screens and receipts show."""

from kassa import transactions
from kassa.vault.journal import layout
from kassa.vault.journal.layout import Record

_WORDS = {
    layout.YES: "approved",
    layout.WATERMARK: "approved",
    layout.REFUSED: "refused_later",
    layout.DECLINED: "declined",
    layout.REVERSING: "reversing",
    layout.REVERSED: "reversed",
    layout.DEFERRED: "accepted",
    layout.CLOSED: "approved",
    layout.VOIDED: "not_taken",
    layout.REPORTED: "not_taken",
    layout.LOST: "lost",
    layout.NOTED: "refused_later",
}

PAID = ("approved", "approved_card", "accepted", "cash_taken", "paid", "preauthorised", "adjusted")
TOOK_BACK = ("voided", "refunded", "cash_returned")


def disposition(record: Record, mark: int) -> str:
    """The text key for what became of a payment. `mark`: the kind of the mark that decided it, 0 = none yet."""
    if record.type in (transactions.CASH, transactions.CASH_REFUND) and mark not in layout.NOT_PAID:
        return "cash_taken" if record.type == transactions.CASH else "cash_returned"
    if mark == layout.DEFERRED and not transactions.is_reversed(record.type):
        return "unanswered"
    if mark in _WORDS:
        word, effect = _WORDS[mark], transactions.effect(record.type)
        if word != "approved":
            return word
        if record.type in (transactions.REFUND, transactions.QR_REFUND):
            return "refunded"
        if effect == transactions.CREDIT or record.type == transactions.PREAUTH_CANCEL:
            return "voided"
        if record.type == transactions.PREAUTH:
            return "preauthorised"
        if record.type == transactions.BALANCE:
            return "balance_told"
        return "adjusted" if effect == transactions.REPLACES else "paid" if effect == transactions.IN_QR else word
    if record.flags & layout.FLAG_APPROVED:
        return "approved_card"
    if record.kind == layout.ACCEPTED:
        return "accepted"
    return "reversing" if transactions.is_reversed(record.type) else "unanswered"
