# SPDX-License-Identifier: MIT
"""What the host can tell about a card payment without its issuer: amount, currency, and whether it was used before."""

from sqlalchemy import bindparam, exists, select

from tools.host.outside.issuer import Decision, Payment
from tools.host.store.schema import payment
from tools.host.transactions.request_context import RequestContext
from tools.host.wire import answers

_USED = select(
    exists().where(
        payment.c.pan_token == bindparam("card"),
        payment.c.atc == bindparam("atc"),
        payment.c.uid != bindparam("of_uid"),
    )
)


def refusal(request: RequestContext, ask: Payment) -> Decision | None:
    """The reason not to ask the issuer, or None. An ATC (9F36) counts as used once a cryptogram proved it."""
    tags = ask.tags
    amount, currency = tags.get("9F02"), tags.get("5F2A")
    if amount is not None and amount.hex() != f"{ask.amount:012}":
        return Decision(answers.WRONG_AMOUNT, text="Amount differs from the card's")
    if currency is not None and currency.hex() != ask.currency:
        return Decision(answers.WRONG_AMOUNT, text="Amount differs from the card's")
    key = {"card": ask.card, "atc": int.from_bytes(tags.get("9F36", b"")[:2], "big"), "of_uid": ask.uid.hex()}
    if "9F36" in tags and request.db.execute(_USED, key).scalar_one():
        return Decision(answers.SUSPECT, text="Card data used before")
    return None
