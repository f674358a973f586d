# SPDX-License-Identifier: MIT
"""Kernel 7 (UnionPay qUICS, EMV Contactless Book C-7): as kernel 3 (cryptogram with GPO, fDDA), but needs a PDOL."""

from micropython import const

from kassa.card import kernel3_visa, tlv
from kassa.card.tap_outcomes import END, MSG_OTHER_CARD, Outcome

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.arena import Arena
    from kassa.card.terms import Terms

_FAST_DDA = const(0x80)  # terminal transaction qualifiers (9F66), byte 4: fDDA version 01 supported


def run(terms: "Terms", arena: "Arena", fci: memoryview) -> "kernel3_visa.Step":
    """Run the kernel; see kernel3_visa.run."""
    pdol = tlv.Tlv(fci, 0, len(fci) - 2)
    if not pdol.path(0x6F, 0xA5, 0x9F38) or pdol.start == pdol.end:
        return Outcome(END, MSG_OTHER_CARD)
    qualifiers = terms.value(0x9F66)
    qualifiers[3] |= _FAST_DDA
    try:
        return (yield from kernel3_visa.run(terms, arena, fci))
    finally:
        qualifiers[3] &= ~_FAST_DDA & 0xFF
