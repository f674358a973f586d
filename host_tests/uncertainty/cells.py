# SPDX-License-Identifier: MIT
"""The cells: every kind of payment, every failure, and the end that the accounting rules demand."""

from __future__ import annotations

from typing import NamedTuple

from host_tests.harness.uplink.till import track

CARD = track(7)
CODE, ANOTHER_CODE = "134567890123456788", "134567890123456780"
AUTH = "246801"  # the authorisation code in every approval of the test issuer
BEFORE, PAID, COMPLETED = 1000, 5000, 4800  # minor units: a sale that must not change; an original; its completion
_AUTH_TAG = "8906" + AUTH.encode().hex()

# How a payment begins.
ASKED = "asked"  # an intent; the request is sent at once
OFFLINE_FALLBACK = "put off"  # an intent; the host is not reached, and the cashier accepts it offline
OFFLINE = "offline"  # a sale accepted offline
ADVICE = "advice"  # an advice: stored, then sent
CLOSING = "closing"  # no payment: the batch close


class Row(NamedTuple):
    """A transaction.

    `brings`: what it adds to the terminal clearing when settled, in minor units; `shop_keeps`: what it adds to cash.
    `reversed`: it is reversed if no answer comes; all others are repeated. `needs`: kinds settled before it; the last
    is its original. `named`: it gives that original's sequence. `extra`: additional objects, in hex.
    `polls`: status requests answered with "wait" before the final answer.
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
    Row("22, put off", "sale taken offline as the host was not reached", SALE, 1200, 1200, OFFLINE_FALLBACK),
    Row("70", "deferred sale", SALE, 1200, 1200, OFFLINE),
    Row("73", "sale approved by the card", SALE, 1200, 1200, OFFLINE),
    Row("23", "void", 0x23, PAID, -PAID, reversed=True, needs=(SALE,), named=True, card=False),
    Row("25", "refund", 0x25, 2000, -2000, needs=(SALE,)),
    Row("10", "pre-authorisation", PREAUTH, PAID, 0, reversed=True),
    Row("11", "its cancel", 0x11, PAID, 0, reversed=True, needs=(PREAUTH,), extra=_AUTH_TAG),
    Row("20", "completion", COMPLETION, COMPLETED, COMPLETED, reversed=True, needs=(PREAUTH,), extra=_AUTH_TAG),
    Row("24", "completion advice", 0x24, COMPLETED, COMPLETED, ADVICE, needs=(PREAUTH,), extra=_AUTH_TAG),
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
    Row("30", "voice-authorised sale", VOICE, 1200, 1200, ADVICE, extra=_AUTH_TAG),
    Row("32", "adjustment of one", 0x32, 5700, 700, ADVICE, needs=(VOICE,), named=True, card=False),
    Row("34", "tip", 0x34, 5500, 500, ADVICE, needs=(SALE,), named=True, card=False),
    Row("71", "cash", 0x71, 1200, 0, ADVICE, card=False, shop_keeps=1200),
    Row("74", "the customer's code", 0x74, 1200, 1200, reversed=True, code=CODE, card=False),
    Row("75", "our code, shown", 0x75, 1200, 1200, reversed=True, card=False, polls=2),
    Row("76", "refund of a code payment", 0x76, PAID, -PAID, needs=(SCANNED,), named=True, card=False),
    Row("77", "cash refund", 0x77, PAID, 0, ADVICE, needs=(CASH,), named=True, card=False, shop_keeps=-PAID),
    Row("0500", "batch close", 0, 0, 0, CLOSING),
)

# The failures, in the order of the columns.
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

# The ends; for each, the state in the journal and the state in the ledger.
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
    """One transaction with one failure."""

    row: Row
    column: str

    def __str__(self) -> str:
        return f"{self.row.key.replace(', ', '-').replace(' ', '-')}-{self.column}"


CELLS = tuple(Cell(row, column) for row in ROWS for column in COLUMNS)


def rule(cell: Cell) -> str:
    """The end that the accounting rules demand, whatever the page says."""
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
