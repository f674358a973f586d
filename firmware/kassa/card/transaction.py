# SPDX-License-Identifier: MIT
"""One transaction with a card: Entry Point and kernel read it, the proof is checked, and the sealed body is built.

The Entry Point and kernel modules can be dropped before the proof is checked, which needs most of the memory.
"""

from micropython import const

from kassa.card import tap_outcomes
from kassa.card.tap_outcomes import Outcome

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Generator

    from kassa.card.arena import Arena
    from kassa.card.terms import Terms

# What fDDA needs besides the CA key: its index, certificates, exponents, the signature and the card data it covers.
_FDDA_DATA = (0x8F, 0x90, 0x9F32, 0x9F46, 0x9F47, 0x9F4B, 0x9F69)
_NO_CVM = b"\x1f\x03\x02"


def read(terms: "Terms", arena: "Arena") -> "Generator[memoryview | None, memoryview, Outcome]":
    """Read one card: yields command APDUs, is sent response APDUs, returns an Outcome. Uses no clock and no event loop.

    Yields None once, when the card is no longer needed and may be removed. The value sent back is ignored. From then on
    every module of this package except transaction, tap, terms, arena, evidence and tlv may be dropped from memory.

    After ONLINE and APPROVED the arena holds body, first six and last four digits. After any other outcome, an error or
    a close it is zero. Raises CardError for data that no valid card sends.
    """
    taken = False
    arena.wipe()
    try:
        outcome = yield from _run_entry_point(terms, arena)
        if outcome.kind in (tap_outcomes.ONLINE, tap_outcomes.TO_PROVE, tap_outcomes.TO_PROVE_OR_ASK):
            yield None
        if outcome.kind in (tap_outcomes.TO_PROVE, tap_outcomes.TO_PROVE_OR_ASK):
            outcome = _check_proof(terms, arena, outcome)
        if outcome.kind in (tap_outcomes.ONLINE, tap_outcomes.APPROVED):
            from kassa.card import sealed_body

            sealed_body.build(terms, arena)
            taken = True
        return outcome
    finally:
        if taken:
            arena.keep_result_only()
        else:
            arena.wipe()


def _run_entry_point(terms: "Terms", arena: "Arena") -> "Generator[memoryview, memoryview, Outcome]":
    from kassa.card import application_selection  # a local name, so that it can be dropped before the proof

    return (yield from application_selection.run(terms, arena))


def _check_proof(terms: "Terms", arena: "Arena", outcome: Outcome) -> Outcome:
    """Check the proof and return the final outcome.

    If the proof fails and the card asks for it (TO_PROVE_OR_ASK), the host decides. The cardholder verification
    that the card reports is then ignored. If its signature is wrong, and not merely impossible to check here, only the
    host may accept the payment.
    """
    kind, refusal = 0, ""
    if outcome.kind == tap_outcomes.TO_PROVE or _can_be_checked(terms, arena):
        from kassa.card import prove_card

        kind, refusal = prove_card.check(terms, arena), tap_outcomes.UNPROVEN
    if kind:
        return Outcome(kind, tap_outcomes.MSG_READ_OK, outcome.refusal)
    if outcome.kind == tap_outcomes.TO_PROVE or terms.cvm_required:
        return Outcome(tap_outcomes.DECLINED, tap_outcomes.MSG_NOT_PROVEN)
    verified = arena.need(0x9F34)
    verified.data[verified.start : verified.end] = _NO_CVM  # pyright: ignore[reportIndexIssue]  the arena owns it
    return Outcome(tap_outcomes.ONLINE, tap_outcomes.MSG_READ_OK, refusal)


def _can_be_checked(terms: "Terms", arena: "Arena") -> bool:
    """Return whether everything the proof needs is present, including the CA key."""
    evidence, name = arena.evidence, arena.need(0x84)
    if terms.authorities is None or evidence is None or not evidence.complete or evidence.lacks(_FDDA_DATA):
        return False
    rid, index = name.data[name.start : name.start + 5], evidence.find(0x8F)[0]
    return terms.authorities.find(rid, index, terms.date) is not None
