# SPDX-License-Identifier: MIT
"""Tells a terminal the reference number and the authorisation code of one of its payments (0820, 364)."""

from sqlalchemy import select

from tools.host.store.schema import payment
from tools.host.transactions.request_context import RequestContext
from tools.host.wire import answers
from tools.host.wire.answers import Answer

NETWORK = "364"  # 60.3


def find(request: RequestContext) -> Answer:
    """DE 37 and 38 as in the answer to the payment; 25 if this terminal sent no such payment."""
    uid = request.message.body[1:17].hex()
    of = payment.c.tid == request.tid, payment.c.uid == uid
    row = request.db.execute(select(payment.c.rrn, payment.c.auth_code).where(*of)).one_or_none()
    if row is None:
        return request.answer(answers.NOT_FOUND)
    numbers = {"_37": row.rrn, "_38": row.auth_code}
    return request.answer(answers.APPROVED, **{element: number for element, number in numbers.items() if number})
