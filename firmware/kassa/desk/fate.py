# SPDX-License-Identifier: MIT
"""What became of a payment, in one word that screens and receipts look up."""

from kassa import transactions
from kassa.vault import layout
from kassa.vault.layout import Record

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
}


# What it is called once the host said yes, where that is not "approved".
_DONE = {
    transactions.VOID: "voided",
    transactions.COMPLETION_VOID: "voided",
    transactions.PREAUTH_CANCEL: "voided",
    transactions.REFUND: "refunded",
    transactions.PREAUTH: "preauthorised",
    transactions.ADJUST: "adjusted",
    transactions.TIP: "adjusted",
    transactions.BALANCE: "balance_told",
    transactions.QR_SCANNED: "paid",
    transactions.QR_SHOWN: "paid",
}
PAID = ("approved", "approved_card", "accepted", "cash_taken", "paid", "preauthorised", "adjusted")
TOOK_BACK = ("voided", "refunded")


def fate(record: Record, mark: int) -> str:
    """The text key of a payment. `mark`: the kind of the mark that decided about it, 0 = none yet."""
    if record.type == transactions.CASH and mark not in layout.NOT_PAID:
        return "cash_taken"
    if mark == layout.DEFERRED and not transactions.is_reversed(record.type):
        return "unanswered"
    if mark in _WORDS:
        word = _WORDS[mark]
        return _DONE.get(record.type, word) if word == "approved" else word
    if record.flags & layout.FLAG_APPROVED:
        return "approved_card"
    if record.kind == layout.ACCEPTED:
        return "accepted"
    return "reversing" if transactions.is_reversed(record.type) else "unanswered"
