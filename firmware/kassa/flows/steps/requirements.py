# SPDX-License-Identifier: MIT
"""Requirements of a transaction: an open batch, the host, a supervisor, further data to be sealed with the card's."""

from kassa.errors import Refused
from kassa.flows.session import Session


def need_open(session: Session) -> None:
    """Raise Refused while a batch close has no answer: no payment is taken then."""
    if session.till.journal.state.closing:
        raise Refused("settle_unfinished")


def need_host(session: Session) -> None:
    """Raise Refused if the host cannot be asked now, or a batch close has no answer."""
    need_open(session)
    if not session.till.online_allowed() or not session.connection.reachable():
        raise Refused("only_online")


async def need_role(session: Session, act: str) -> None:
    """Ask for permission for an act of desk/roles.py, unless who is logged in may do it. Raises Refused if nobody agrees."""
    from kassa.flows.steps import ask_supervisor

    if not await ask_supervisor.allowed(session, act):
        raise Refused("supervisor_needed")


def seal_with_card(session: Session, tag: int, value: "bytes | bytearray") -> None:
    """Add an object to the card data that will be sealed. Raises CardError if there is no room."""
    from kassa.card import sealed_body

    sealed_body.add(session.card(), tag, value)
