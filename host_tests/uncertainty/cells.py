# SPDX-License-Identifier: MIT
"""What is played: every kind of payment, everything that can go wrong, and what the rules of money say comes of it."""

from __future__ import annotations

from typing import NamedTuple

from host_tests.harness.uplink.till import track

CARD = track(7)
CODE, ANOTHER_CODE = "134567890123456788", "134567890123456780"
AUTH = "246801"  # of every approval of the test's issuer
BEFORE, PAID, COMPLETED = 1000, 5000, 4800  # minor units: a sale nothing may touch; what another payment is about
_AUTH_TAG = "8906" + AUTH.encode().hex()

# How a payment begins.
ASKED = "asked"  # an intent, and the host is asked at once
PUT_OFF = "put off"  # the same; the host cannot be reached, and the cashier takes it without
OFFLINE = "offline"  # a sale taken without the host
TOLD = "told"  # an advice: durable, then sent
CLOSING = "closing"  # no payment: the batch close


class Row(NamedTuple):
    """A transaction. `brings`: what it adds to what the merchant is owed once it is settled; `shop_keeps`: to the cash.

    `reversed`: without an answer it is reversed, the others are repeated. `needs`: kinds settled before it; it is about the last.
    `polls`: questions answered with "wait" before the one that counts.
    """

    key: str
    name: str
    kind: int
    amount: int
    brings: int
    how: str = ASKED
    reversed: bool = False
    needs: tuple[int, ...] = ()
    named: bool = False
    extra: str = ""
    code: str = ""
    card: bool = True
    shop_keeps: int = 0
    polls: int = 0


SALE, PREAUTH, COMPLETION, VOICE, CASH, SCANNED = 0x22, 0x10, 0x20, 0x30, 0x71, 0x74
ROWS = (
    Row("22", "sale", SALE, 1200, 1200, reversed=True),
    Row("22, put off", "sale taken offline as the host was not reached", SALE, 1200, 1200, PUT_OFF),
    Row("70", "deferred sale", SALE, 1200, 1200, OFFLINE),
    Row("73", "sale approved by the card", SALE, 1200, 1200, OFFLINE),
    Row("23", "void", 0x23, PAID, -PAID, reversed=True, needs=(SALE,), named=True, card=False),
    Row("25", "refund", 0x25, 2000, -2000, needs=(SALE,)),
    Row("10", "pre-authorisation", PREAUTH, PAID, 0, reversed=True),
    Row("11", "its cancel", 0x11, PAID, 0, reversed=True, needs=(PREAUTH,), extra=_AUTH_TAG),
    Row("20", "completion", COMPLETION, COMPLETED, COMPLETED, reversed=True, needs=(PREAUTH,), extra=_AUTH_TAG),
    Row("24", "completion advice", 0x24, COMPLETED, COMPLETED, TOLD, needs=(PREAUTH,), extra=_AUTH_TAG),
    Row(
        "21",
        "completion void",
        0x21,
        COMPLETED,
        -COMPLETED,
        reversed=True,
        needs=(PREAUTH, COMPLETION),
        named=True,
        card=False,
    ),
    Row("01", "balance", 0x01, 0, 0),
    Row("30", "voice-authorised sale", VOICE, 1200, 1200, TOLD, extra=_AUTH_TAG),
    Row("32", "adjustment of one", 0x32, 5700, 700, TOLD, needs=(VOICE,), named=True, card=False),
    Row("34", "tip", 0x34, 5500, 500, TOLD, needs=(SALE,), named=True, card=False),
    Row("71", "cash", 0x71, 1200, 0, TOLD, card=False, shop_keeps=1200),
    Row("74", "the customer's code", 0x74, 1200, 1200, reversed=True, code=CODE, card=False),
    Row("75", "our code, shown", 0x75, 1200, 1200, reversed=True, card=False, polls=2),
    Row("76", "refund of a code payment", 0x76, PAID, -PAID, needs=(SCANNED,), named=True, card=False),
    Row("77", "cash refund", 0x77, PAID, 0, TOLD, needs=(CASH,), named=True, card=False, shop_keeps=-PAID),
    Row("0500", "batch close", 0, 0, 0, CLOSING),
)

# What goes wrong, in the order of the columns.
COLUMNS = {
    "unconnected": "no connection",
    "lost": "sent, lost on the way",
    "cut": "answer lost",
    "late": "answer too late",
    "bad_mac": "answer with a bad MAC",
    "html": "HTML in its place",
    "power_before": "power cut: not yet written",
    "power_written": "power cut: written, not sent",
    "power_sent": "power cut: sent, not answered",
    "power_answer": "power cut: as the answer is written",
    "power_after": "power cut: after the answer",
}
_HOST_HAS_IT = ("cut", "late", "bad_mac", "power_sent", "power_answer")

# Ends. Of each: the journal's state and the ledger's.
SETTLED, REVERSED, BURIED, NOT_TAKEN, NOTHING, CLOSED = (
    "settled once", "reversed", "reversed unheard", "not taken", "nothing", "closed once"
)  # fmt: skip
ENDS = {
    SETTLED: ("settled", "APPROVED"),
    REVERSED: ("reversed", "REVERSED"),
    BURIED: ("reversed", "tombstone"),
    NOT_TAKEN: ("reported", "void entry"),
    NOTHING: ("", ""),
    CLOSED: ("closed", "closed"),
}


class Cell(NamedTuple):
    """One row under one column."""

    row: Row
    column: str

    def __str__(self) -> str:
        return f"{self.row.key.replace(', ', '-').replace(' ', '-')}-{self.column}"


CELLS = tuple(Cell(row, column) for row in ROWS for column in COLUMNS)


def rule(cell: Cell) -> str:
    """The end that the rules of money demand, whatever the page says."""
    row, column = cell
    if row.how == CLOSING:
        return CLOSED
    if column == "power_before":
        return NOTHING
    if column == "power_after":
        return SETTLED
    if column == "unconnected" and row.how == ASKED:
        return NOT_TAKEN
    if not row.reversed:
        return SETTLED
    return REVERSED if column in _HOST_HAS_IT or row.polls and column != "power_written" else BURIED
