# SPDX-License-Identifier: MIT
"""What became of a payment, in one word that screens and receipts look up."""

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


def fate(record: Record, mark: int) -> str:
    """The text key of a payment. `mark`: the kind of the mark that decided about it, 0 = none yet."""
    if mark in _WORDS:
        word = _WORDS[mark]
        return "voided" if record.type == layout.TYPE_VOID and word == "approved" else word
    if record.flags & layout.FLAG_APPROVED:
        return "approved_card"
    return "accepted" if record.kind == layout.ACCEPTED else "reversing"
