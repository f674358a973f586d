# SPDX-License-Identifier: MIT
"""The authorisation code and the reference number of a payment. The journal has none of them, so the host is asked."""

from time import ticks_diff, ticks_ms

from micropython import const

from kassa import status, transactions
from kassa.flows.session import Session

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.vault.journal.layout import Record

_ANSWER_S = const(8)
_WIDTH = const(288)  # px, of the bar
_FORM = b"\x01"


def known(session: Session, record: "Record") -> "tuple[str, str]":
    """Both as the last answer about this payment gave them; "" where it gave none, or where it is not kept any more."""
    outcome = session.courier.outcome
    return (outcome.auth, outcome.rrn) if outcome.sequence == record.sequence else ("", "")


async def asked(session: Session, record: "Record") -> "tuple[str, str]":
    """Both, asked of the host if need be: only while it is connected, for some seconds at most, and not for cash.

    C goes on without them.
    """
    numbers = known(session, record)
    if (
        numbers[1]
        or session.status.link != status.LINK_HOST
        or record.type
        in (
            transactions.CASH,
            transactions.CASH_REFUND,
        )
    ):
        return numbers
    from kassa.uplink.management import NUMBERS, NetworkMessage
    from kassa.uplink.request_result import RequestResult

    ui, courier, start, left = session.ui, session.courier, ticks_ms(), _ANSWER_S
    outcome = RequestResult(record.sequence)
    courier.begin(NetworkMessage(NUMBERS, _FORM + record.uid, outcome), outcome)
    while not outcome.kind and left >= 0:
        lines = (ui.t("numbers_asked"), ui.t("at_most", left))
        await ui.show(
            "wait", ui.t("r_trace") + " %06d" % record.stan, lines, "C=key_skip", left=_WIDTH * left // _ANSWER_S
        )
        if await ui.key("C", 100):
            break
        left = _ANSWER_S - ticks_diff(ticks_ms(), start) // 1000
    courier.end_task()
    return known(session, record)
