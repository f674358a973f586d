# SPDX-License-Identifier: MIT
"""A void: an approved sale of the open batch, named by the terminal, is taken back whole and once."""

from sqlalchemy import select, update

from tools.host import answers, seal
from tools.host.case import Case
from tools.host.errors import SealError
from tools.host.issuer import Decision
from tools.host.schema import payment

_SALE = "22"
_ORIGINAL = "DF02"  # the uid of the sale, in the sealed body
_ALIVE = ("RECEIVED", "APPROVED")


def decide(case: Case, record: seal.Record, number: int) -> Decision:
    """What becomes of the void in row `number`; notes in it which sale it is about."""
    try:
        uid = seal.open_body(record, case.bdk, case.terminal.ikid).get(_ORIGINAL, b"").hex()
    except (SealError, ValueError):
        return Decision(answers.FORMAT_ERROR, text="Record damaged")
    mine = (payment.c.tid == case.tid, payment.c.epoch == record.epoch)
    row = case.db.execute(select(payment).where(*mine, payment.c.uid == uid)).one_or_none()
    if row is None or row.type != _SALE or row.batch + row.stan != case.message.fields["61"]:
        return Decision(answers.NOT_FOUND, text="No such payment")
    if row.state != "APPROVED" or row.settled_in != record.batch:
        return Decision(answers.INVALID, text="Not approved in this batch")
    if row.amount != record.amount:
        return Decision(answers.WRONG_AMOUNT, text="Amounts differ")
    others = payment.c.original == uid, payment.c.state.in_(_ALIVE), payment.c.id != number
    if case.db.execute(select(payment.c.id).where(*mine, *others)).first() is not None:
        return Decision(answers.INVALID, text="Voided already")
    case.db.execute(update(payment).where(payment.c.id == number).values(original=uid))
    return Decision(answers.APPROVED)
