# SPDX-License-Identifier: MIT
"""What the host can tell about a card payment without its issuer: amount, currency, and whether it was used before."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select

from tools.host.outside.issuer import Decision, Payment
from tools.host.outside.wallet import Order, Return
from tools.host.store.schema import payment
from tools.host.wire import answers

Outcome = Decision | Payment | Order | Return  # decided here, or what to ask outside

_PROVEN = select(payment.c.pan_token, payment.c.atc, payment.c.uid).where(  # pairs would not use the index on SQLite
    payment.c.pan_token.in_(bindparam("tokens", expanding=True)),
    payment.c.atc.in_(bindparam("counters", expanding=True)),
)


def refusal(ask: Payment) -> Decision | None:
    """The reason not to ask the issuer that the card's own data give, or None."""
    tags = ask.tags
    amount, currency = tags.get("9F02"), tags.get("5F2A")
    if amount is not None and amount.hex() != f"{ask.amount:012}":
        return Decision(answers.WRONG_AMOUNT, text="Amount differs from the card's")
    if currency is not None and currency.hex() != ask.currency:
        return Decision(answers.WRONG_AMOUNT, text="Amount differs from the card's")
    return None


def refuse_used(db: Connection, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """The same, with a refusal for each card payment whose ATC (9F36) another payment has had.

    An ATC counts as used once a cryptogram proved it.
    """
    asked = [(_card(one), one.uid.hex()) for one in outcomes if isinstance(one, Payment) and "9F36" in one.tags]
    if not asked:
        return list(outcomes)
    tokens, counters = {token for (token, _), _ in asked}, {counter for (_, counter), _ in asked}
    rows = db.execute(_PROVEN, {"tokens": list(tokens), "counters": list(counters)}).all()
    used = {uid for card, uid in asked if any(card == (row.pan_token, row.atc) and uid != row.uid for row in rows)}
    return [
        Decision(answers.SUSPECT, text="Card data used before")
        if isinstance(one, Payment) and one.uid.hex() in used
        else one
        for one in outcomes
    ]  # fmt: skip


def _card(ask: Payment) -> tuple[str, int]:
    """Token and ATC."""
    return ask.card, int.from_bytes(ask.tags["9F36"][:2], "big")
