# SPDX-License-Identifier: MIT
"""One transaction with a card: the Entry Point and a kernel ask, the card is proven, a payment takes along what it needs.

What asked need not be in memory any more when the proof is checked, which takes most of it.
"""

from micropython import const

from kassa.card.terms import (
    APPROVED,
    DECLINED,
    MSG_NOT_PROVEN,
    MSG_READ_OK,
    ONLINE,
    TO_PROVE,
    TO_PROVE_OR_ASK,
    Outcome,
)

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Generator

    from kassa.card.arena import Arena
    from kassa.card.terms import Terms


def read(terms: "Terms", arena: "Arena") -> "Generator[memoryview | None, memoryview, Outcome]":
    """Read one card: yields command APDUs, is sent response APDUs, returns an Outcome. No clock, no loop.

    Yields None once when the card has said all it need and may be taken away; anything may be sent then, and every
    module of the room but this, tap, terms, arena, evidence and tlv may be forgotten.

    After ONLINE and APPROVED the arena holds body and mask; after anything else, an error or a close, it holds nothing.
    Raises CardError for what no honest card sends.
    """
    taken = False
    arena.wipe()
    try:
        from kassa.card import entry

        outcome = yield from entry.run(terms, arena)
        del entry
        if outcome.kind in (ONLINE, TO_PROVE, TO_PROVE_OR_ASK):
            yield None
        if outcome.kind in (TO_PROVE, TO_PROVE_OR_ASK):
            outcome = _proven(terms, arena, outcome)
        if outcome.kind in (ONLINE, APPROVED):
            from kassa.card import body

            body.build(terms, arena)
            taken = True
        return outcome
    finally:
        if taken:
            arena.tidy()
        else:
            arena.wipe()


def _proven(terms: "Terms", arena: "Arena", said: Outcome) -> Outcome:
    from kassa.card import proof

    kind = proof.check(terms, arena)
    if not kind and said.kind == TO_PROVE_OR_ASK:
        kind = ONLINE
    return Outcome(kind, MSG_READ_OK, said.expired) if kind else Outcome(DECLINED, MSG_NOT_PROVEN)
