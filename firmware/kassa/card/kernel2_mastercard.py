# SPDX-License-Identifier: MIT
"""Kernel 2 (Mastercard M/Chip, EMV Contactless Book C-2), EMV mode with CDA. docs/emv.md lists what is left out."""

from micropython import const

from kassa.card import generate_ac

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.arena import Arena
    from kassa.card.terms import Terms

_CODES = b"\x00\x00\x00\x00\x00" + b"\xf4\x50\x84\x80\x0c"  # the terminal action codes that most acquirers set


def run(terms: "Terms", arena: "Arena", fci: memoryview) -> "generate_ac.Step":
    """Run the kernel; see kernel3_visa.run."""
    terms.set(0x9F09, b"\x00\x02")
    return generate_ac.run(terms, arena, fci, _CODES, True)
