# SPDX-License-Identifier: MIT
"""Reads a card in the phase "tap", with only the necessary modules in memory."""

from kassa import overlay
from kassa.flows.session import Session


async def read_card(session: Session, amount: int, online: bool, kind: int = 0) -> "tuple[bool, str] | None":
    """Read a card; see present_card.present."""
    overlay.enter("tap")
    try:
        return await _present(session, amount, online, kind)
    finally:
        overlay.enter("flow")


async def _present(session: Session, amount: int, online: bool, kind: int) -> "tuple[bool, str] | None":
    from kassa.flows.steps import present_card  # local, so that the reference ends with this call

    return await present_card.present(session, amount, online, kind)
