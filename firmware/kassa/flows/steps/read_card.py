# SPDX-License-Identifier: MIT
"""Reads a card, with only what a tap needs in memory."""

from kassa import overlay
from kassa.flows.session import Session


async def read_card(session: Session, amount: int, online: bool, kind: int = 0) -> "tuple[bool, str] | None":
    """See present_card.present."""
    overlay.enter("tap")
    try:
        return await _present(session, amount, online, kind)
    finally:
        overlay.enter("flow")


async def _present(session: Session, amount: int, online: bool, kind: int) -> "tuple[bool, str] | None":
    from kassa.flows.steps import present_card  # a name of this function alone: gone with its frame

    return await present_card.present(session, amount, online, kind)
