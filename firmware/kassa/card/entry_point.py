# SPDX-License-Identifier: MIT
"""Entry Point (EMV Contactless Book B): the card's directory, the best application both sides know, and its kernel."""

from micropython import const

from kassa.card import apdu, applications, tlv
from kassa.card.arena import CANDIDATE_SIZE, MAX_CANDIDATES
from kassa.card.outcomes import END, MSG_OTHER_CARD, MSG_OVER_LIMIT, Outcome
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from kassa.card.arena import Arena
    from kassa.card.terms import Terms

    Step = Generator[memoryview, memoryview, Outcome | None]

_LOWEST = const(16)  # rank of an application without a priority


def run(terms: "Terms", arena: "Arena") -> "Generator[memoryview, memoryview, Outcome]":
    """From the directory to what the kernel says. See transaction.read."""
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
    return Outcome(END, MSG_OVER_LIMIT if terms.over else MSG_OTHER_CARD)


def _try(terms: "Terms", arena: "Arena", at: int) -> "Step":
    """Select one candidate and run its kernel; None = the card wants another application tried."""
    size = arena.candidates[at + 1]
    answer = yield apdu.select(arena, arena.candidates, at + 2, size)
    if apdu.status(answer) != apdu.SW_OK:
        return None
    fci = tlv.single(answer, len(answer) - 2)
    if fci.tag != 0x6F or not fci.enter().find(0x84) or not applications.begins(fci, arena.candidates, at + 2, size):
        return None
    kernel = applications.kernel(terms, fci)
    short = tlv.Tlv(arena.candidates, at + 2, at + 2 + size)
    if not kernel or kernel != applications.kernel(terms, short):
        return None  # by its whole name it has another row than the directory's short one led to
    arena.keep(0x84, answer, fci.start, fci.end)
    applications.agree(terms, fci)
    if terms.authorities is not None:
        from kassa.card.evidence import Evidence  # only where a card may approve by itself

        arena.evidence = Evidence()
    return (yield from _kernel(kernel)(terms, arena, answer))


def _kernel(number: int) -> "Callable[[Terms, Arena, memoryview], Step]":
    """A kernel is in memory only when a card asks for it."""
    if number == 2:
        from kassa.card import kernel2 as kernel
    elif number == 4:
        from kassa.card import kernel4 as kernel
    elif number == 7:
        from kassa.card import kernel7 as kernel
    else:
        from kassa.card import kernel3 as kernel
    return kernel.run


def _list_candidates(answer: "memoryview", terms: "Terms", arena: "Arena") -> None:
    """Note rank and AID of each directory entry that one of our kernels can take, in the card's order."""
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
            continue  # Book B: an entry that is not right is passed over
        kernel = applications.kernel(terms, entry)
        if not kernel or wanted not in (0, kernel):
            continue
        arena.candidates[at] = rank
        arena.candidates[at + 1] = entry.end - entry.start
        for index in range(entry.end - entry.start):
            arena.candidates[at + 2 + index] = answer[entry.start + index]
        at += CANDIDATE_SIZE


def _wanted_kernel(entry: "tlv.Tlv") -> int:
    """The kernel identifier 9F2A asks for: 0 = the scheme's own, -1 = one we cannot have."""
    if not entry.find(0x9F2A) or entry.start == entry.end:
        return 0
    first = entry.data[entry.start]
    if first & 0xC0 == 0:  # an international kernel; the others are domestic or proprietary
        return first & 0x3F
    return -1


def _best(arena: "Arena") -> int:
    """Offset of the untried candidate with the best rank (1 first, ties in the card's order), -1 when none is left."""
    best = -1
    for at in range(0, MAX_CANDIDATES * CANDIDATE_SIZE, CANDIDATE_SIZE):
        rank = arena.candidates[at]
        if rank and (best < 0 or rank < arena.candidates[best]):
            best = at
    return best
