# SPDX-License-Identifier: MIT
"""What became of a payment, in one word that screens and receipts look up."""

from kassa.vault import layout
from kassa.vault.layout import Record

_WORDS = {
    layout.YES: "approved",
    layout.WATERMARK: "approved",
    layout.REFUSED: "refused_later",
    layout.DECLINED: "declined",
    layout.REVERSING: "reversal_pending",
    layout.REVERSED: "cancelled",
    layout.DEFERRED: "accepted",
    layout.CLOSED: "approved",
    layout.VOIDED: "not_taken",
    layout.REPORTED: "not_taken",
}


def fate(record: Record, mark: int, settled: bool) -> str:
    """The text key of a payment. `mark`: kind of the last mark about it, 0 = none; `settled`: at or below the watermark."""
    if mark in _WORDS:
        return _WORDS[mark]
    if settled:
        return "approved"
    return "accepted" if record.kind == layout.ACCEPTED else "reversal_pending"
