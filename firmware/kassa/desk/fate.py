# SPDX-License-Identifier: MIT
"""What became of a payment, in one word that screens and receipts look up."""

from micropython import const

from kassa import transactions
from kassa.vault import layout
from kassa.vault.layout import Record

_REFUNDS = (0x25, 0x76)  # kinds
_PREAUTH = const(0x10)
_PREAUTH_CANCEL = const(0x11)
_BALANCE = const(0x01)
_CASH = const(0x71)
_CASH_REFUND = const(0x77)
_CREDIT = const(2)
_IN_QR = const(4)
_INSTEAD = const(5)
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


def fate(record: Record, mark: int) -> str:
    """The text key of a payment. `mark`: the kind of the mark that decided about it, 0 = none yet."""
    if record.type in (_CASH, _CASH_REFUND) and mark not in layout.NOT_PAID:
        return "cash_taken" if record.type == _CASH else "cash_returned"
    if mark == layout.DEFERRED and not transactions.is_reversed(record.type):
        return "unanswered"
    if mark in _WORDS:
        word, effect = _WORDS[mark], transactions.effect(record.type)
        if word != "approved":
            return word
        if record.type in _REFUNDS:
            return "refunded"
        if effect == _CREDIT or record.type == _PREAUTH_CANCEL:
            return "voided"
        if record.type == _PREAUTH:
            return "preauthorised"
        if record.type == _BALANCE:
            return "balance_told"
        return "adjusted" if effect == _INSTEAD else "paid" if effect == _IN_QR else word
    if record.flags & layout.FLAG_APPROVED:
        return "approved_card"
    if record.kind == layout.ACCEPTED:
        return "accepted"
    return "reversing" if transactions.is_reversed(record.type) else "unanswered"
