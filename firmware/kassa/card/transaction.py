# SPDX-License-Identifier: MIT
"""One transaction with a card: the Entry Point and a kernel ask, the card is proven, a payment takes along what it needs.

What asked need not be in memory any more when the proof is checked, which takes most of it.
"""

from micropython import const

from kassa.card.terms import APPROVED, DECLINED, MSG_DECLINED, MSG_NOT_PROVEN, MSG_READ_OK, ONLINE, TO_PROVE, Outcome
from kassa.modules import forget

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Generator

    from kassa.card.arena import Arena
    from kassa.card.terms import Terms


_ROOM = const(1024)


def read(terms: "Terms", arena: "Arena") -> "Generator[memoryview | None, memoryview, Outcome]":
    """Read one card: yields command APDUs, is sent response APDUs, returns an Outcome. No clock, no loop.

    Yields None once when the card has said all it need and may be taken away; anything may be sent then, and every
    module of the room but this, tap, terms, arena, evidence and tlv may be forgotten.

    After ONLINE and APPROVED the arena holds body and mask; after anything else, an error or a close, it holds nothing.
    Raises CardError for what no honest card sends.
    """
    taken = False
    try:
        from kassa.card import entry

        outcome = yield from entry.run(terms, arena)
        del entry
        if outcome.kind in (ONLINE, TO_PROVE):
            yield None
        if outcome.kind == TO_PROVE:
            outcome = _judge(terms, arena, outcome.expired)
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


def _judge(terms: "Terms", arena: "Arena", expired: bool) -> Outcome:
    """What an approval, or an answer signed by CDA, is worth."""
    if arena.evidence is not None and arena.evidence.said < 0:  # fDDA: this kernel checks nothing before (Book C-3)
        from kassa.card import restrictions

        found = bytearray(5)
        restrictions.check(terms, arena, found)
        if expired or found[1] & restrictions.UNFIT:
            return Outcome(DECLINED, MSG_DECLINED)
        del restrictions
        forget("kassa.card.restrictions")
    room = bytearray(_ROOM)  # in one piece for the numbers of the proof, wherever its module finds place
    from kassa.card import proof

    del room
    kind = proof.check(terms, arena)
    return Outcome(kind, MSG_READ_OK, expired) if kind else Outcome(DECLINED, MSG_NOT_PROVEN)
