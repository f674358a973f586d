# SPDX-License-Identifier: MIT
"""What a transaction needs beside a card: the host, a supervisor, something to be sealed with it."""

from kassa.errors import Refused
from kassa.flows.session import Session
from kassa.flows.steps.outcome import need_open
from kassa.overlay import forget, forget_all


def need_host(session: Session) -> None:
    """Raises Refused when the host cannot be asked now."""
    need_open(session)
    if not session.till.online_allowed() or not session.connection.reachable():
        raise Refused("only_online")


async def need_supervisor(session: Session) -> None:
    """Raises Refused when no supervisor agrees."""
    from kassa.flows.steps import supervisor

    agreed = await supervisor.allowed(session)
    del supervisor
    forget_all(("flows.steps.supervisor",))
    if not agreed:
        raise Refused("supervisor_needed")


def take_along(session: Session, tag: int, value: "bytes | bytearray") -> None:
    """Seal one more object with the card that was read. Raises CardError when there is no room."""
    from kassa.card import sealed_body

    try:
        sealed_body.add(session.arena, tag, value)
    finally:
        del sealed_body
        forget("kassa.card.sealed_body")
