# SPDX-License-Identifier: MIT
"""One transaction with a card: the Entry Point and a kernel ask, the card is proven, a payment takes along what it needs.

What asked need not be in memory any more when the proof is checked, which takes most of it.
"""

from micropython import const

from kassa.card import outcomes
from kassa.card.outcomes import Outcome

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Generator

    from kassa.card.arena import Arena
    from kassa.card.terms import Terms

# What fDDA needs beside the scheme's key: its index, certificates, exponents, signature, and the card's data under it.
_SHOWN = (0x8F, 0x90, 0x9F32, 0x9F46, 0x9F47, 0x9F4B, 0x9F69)
_NO_CVM = b"\x1f\x03\x02"


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
        outcome = yield from _asked(terms, arena)
        if outcome.kind in (outcomes.ONLINE, outcomes.TO_PROVE, outcomes.TO_PROVE_OR_ASK):
            yield None
        if outcome.kind in (outcomes.TO_PROVE, outcomes.TO_PROVE_OR_ASK):
            outcome = _proven(terms, arena, outcome)
        if outcome.kind in (outcomes.ONLINE, outcomes.APPROVED):
            from kassa.card import sealed_body

            sealed_body.build(terms, arena)
            taken = True
        return outcome
    finally:
        if taken:
            arena.tidy()
        else:
            arena.wipe()


def _asked(terms: "Terms", arena: "Arena") -> "Generator[memoryview, memoryview, Outcome]":
    from kassa.card import entry_point  # a name of this function alone: not in memory for the proof

    return (yield from entry_point.run(terms, arena))


def _proven(terms: "Terms", arena: "Arena", said: Outcome) -> Outcome:
    """The outcome once the proof was checked. Without one the host decides where the card asks for that (TO_PROVE_OR_ASK).

    What such a card says of its holder's verification counts as unsaid. One whose signature is wrong, and not only beyond
    checking here, is for the host alone.
    """
    kind, refusal = 0, ""
    if said.kind == outcomes.TO_PROVE or _can_be_checked(terms, arena):
        from kassa.card import proof

        kind, refusal = proof.check(terms, arena), outcomes.UNPROVEN
    if kind:
        return Outcome(kind, outcomes.MSG_READ_OK, said.refusal)
    if said.kind == outcomes.TO_PROVE or terms.cvm_required:
        return Outcome(outcomes.DECLINED, outcomes.MSG_NOT_PROVEN)
    verified = arena.need(0x9F34)
    verified.data[verified.start : verified.end] = _NO_CVM  # pyright: ignore[reportIndexIssue]  the arena's own
    return Outcome(outcomes.ONLINE, outcomes.MSG_READ_OK, refusal)


def _can_be_checked(terms: "Terms", arena: "Arena") -> bool:
    """Whether all that a proof needs is there, the scheme's key too."""
    evidence, name = arena.evidence, arena.need(0x84)
    if terms.authorities is None or evidence is None or not evidence.complete or evidence.lacks(_SHOWN):
        return False
    rid, index = name.data[name.start : name.start + 5], evidence.find(0x8F)[0]
    return terms.authorities.find(rid, index, terms.date) is not None
