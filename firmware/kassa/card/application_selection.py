# SPDX-License-Identifier: MIT
"""Entry Point (EMV Contactless Book B): reads the PPSE, selects the best supported application, runs its kernel."""

from micropython import const

from kassa.card import aid_rules, apdu, tlv
from kassa.card.arena import CANDIDATE_SIZE, MAX_CANDIDATES
from kassa.card.tap_outcomes import END, MSG_OTHER_CARD, MSG_OVER_LIMIT, Outcome
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from kassa.card.arena import Arena
    from kassa.card.terms import Terms

    Step = Generator[memoryview, memoryview, Outcome | None]

_LOWEST = const(16)  # rank of an application without a priority


def run(terms: "Terms", arena: "Arena") -> "Generator[memoryview, memoryview, Outcome]":
    """Read the directory, select an application, run its kernel. Returns the kernel's outcome. See transaction.read."""
    answer = yield apdu.select_ppse(arena)
    if apdu.status(answer) == apdu.SW_OK:
        _list_candidates(answer, terms, arena)
        for _ in range(MAX_CANDIDATES):
            at = _best(arena)
            if at < 0:
                break
            arena.candidates[at] = 0
            outcome = yield from _try(terms, arena, at)
            if outcome is not None:
                return outcome
            arena.forget()
    return Outcome(END, MSG_OVER_LIMIT if terms.over_limit else MSG_OTHER_CARD)


def _try(terms: "Terms", arena: "Arena", at: int) -> "Step":
    """Select one candidate and run its kernel. Returns None if the next candidate is to be tried (Select Next)."""
    size = arena.candidates[at + 1]
    answer = yield apdu.select(arena, arena.candidates, at + 2, size)
    if apdu.status(answer) != apdu.SW_OK:
        return None
    fci = tlv.single(answer, len(answer) - 2)
    if fci.tag != 0x6F or not fci.enter().find(0x84) or not aid_rules.starts_with(fci, arena.candidates, at + 2, size):
        return None
    kernel = aid_rules.kernel(terms, fci)
    short = tlv.Tlv(arena.candidates, at + 2, at + 2 + size)
    if not kernel or kernel != aid_rules.kernel(terms, short):
        return None  # the full AID leads to another kernel than the shorter AID in the directory
    arena.keep(0x84, answer, fci.start, fci.end)
    label = tlv.Tlv(answer, 0, len(answer) - 2)
    if label.path(0x6F, 0xA5, 0x50) and label.end - label.start <= 16:
        arena.keep(0x50, answer, label.start, label.end)
    aid_rules.apply_row(terms, fci)
    if terms.authorities is not None:
        from kassa.card.evidence import Evidence  # loaded only if the card may approve offline

        arena.evidence = Evidence()
    return (yield from _kernel(kernel)(terms, arena, answer))


def _kernel(number: int) -> "Callable[[Terms, Arena, memoryview], Step]":
    """Return the `run` function of a kernel. The kernel's module is loaded only now."""
    if number == 2:
        from kassa.card import kernel2_mastercard as kernel
    elif number == 4:
        from kassa.card import kernel4_amex as kernel
    elif number == 7:
        from kassa.card import kernel7_unionpay as kernel
    else:
        from kassa.card import kernel3_visa as kernel
    return kernel.run


def _list_candidates(answer: "memoryview", terms: "Terms", arena: "Arena") -> None:
    """List the rank and AID of each directory entry that one of our kernels supports, in the card's order."""
    entries = tlv.single(answer, len(answer) - 2)
    if entries.tag != 0x6F or not entries.enter().path(0xA5, 0xBF0C):
        raise CardError("PPSE without a directory")
    entries.enter()
    at = 0
    while entries.next():
        if entries.tag != 0x61 or at == MAX_CANDIDATES * CANDIDATE_SIZE:
            continue
        entry = tlv.Tlv(answer, entries.start, entries.end)
        wanted = _wanted_kernel(entry)
        rank = _LOWEST
        if entry.find(0x87) and entry.end - entry.start == 1:
            rank = answer[entry.start] & 0x0F or _LOWEST
        if not entry.find(0x4F) or not 5 <= entry.end - entry.start <= 16:
            continue  # Book B: skip a malformed entry
        kernel = aid_rules.kernel(terms, entry)
        if not kernel or wanted not in (0, kernel):
            continue
        arena.candidates[at] = rank
        arena.candidates[at + 1] = entry.end - entry.start
        for index in range(entry.end - entry.start):
            arena.candidates[at + 2 + index] = answer[entry.start + index]
        at += CANDIDATE_SIZE


def _wanted_kernel(entry: "tlv.Tlv") -> int:
    """Return the kernel requested by 9F2A: 0 = the default kernel of the scheme, -1 = one that is not supported."""
    if not entry.find(0x9F2A) or entry.start == entry.end:
        return 0
    first = entry.data[entry.start]
    if first & 0xC0 == 0:  # an international kernel; the others are domestic or proprietary
        return first & 0x3F
    return -1


def _best(arena: "Arena") -> int:
    """Return the offset of the untried candidate with the best rank, -1 if none is left.

    Rank 1 comes first; equal ranks keep the card's order.
    """
    best = -1
    for at in range(0, MAX_CANDIDATES * CANDIDATE_SIZE, CANDIDATE_SIZE):
        rank = arena.candidates[at]
        if rank and (best < 0 or rank < arena.candidates[best]):
            best = at
    return best
