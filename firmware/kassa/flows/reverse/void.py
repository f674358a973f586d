# SPDX-License-Identifier: MIT
"""Voids a payment of the open batch. A supervisor must agree, and the host must approve. No card is needed.

A code payment is refunded by its wallet. Cash is returned from the drawer, and the host is informed later.
"""

from micropython import const

from kassa import money, transactions
from kassa.desk import cardless_body
from kassa.flows.reverse.choose_original import choose, page_of
from kassa.flows.session import Session
from kassa.flows.steps.requirements import need_host, need_open, need_role
from kassa.flows.steps.show_outcome import attempt

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.desk.originals import Original

_TAKEN_BACK_BY = {
    transactions.SALE: transactions.VOID,
    transactions.VOICE_SALE: transactions.VOID,
    transactions.COMPLETION: transactions.COMPLETION_VOID,
    transactions.COMPLETION_ADVICE: transactions.COMPLETION_VOID,
    transactions.QR_SCANNED: transactions.QR_REFUND,
    transactions.QR_SHOWN: transactions.QR_REFUND,
    transactions.CASH: transactions.CASH_REFUND,
}


async def void(session: Session) -> None:
    """The whole void, from the list of payments to the slip."""
    one = await choose(session, "void", "void_none", tuple(_TAKEN_BACK_BY))
    if one is not None:
        await attempt(session, one.amount, _void(session, one, _TAKEN_BACK_BY[one.type]))


async def _void(session: Session, one: "Original", kind: int) -> None:
    ui = session.ui
    if kind == transactions.CASH_REFUND:
        need_open(session)
    else:
        need_host(session)
    lines = (ui.t("void_which", "%06d" % one.stan, session.paid_with(one)), ui.t("void_supervisor"))
    amount = money.text(one.amount)
    if await ui.message("ask", ui.t("void_ask"), lines, "E=key_yes C=key_no", amount=amount) != ord("E"):
        return
    await need_role(session, "void")
    back, page = page_of(session, one)
    if kind == transactions.CASH_REFUND:
        from kassa.flows.sale import cash

        await cash.give_back(session, one.amount, cardless_body.for_record(page), back)
    else:
        from kassa.flows.steps import authorise

        await authorise.request(session, kind, one.amount, cardless_body.for_record(page), back)
