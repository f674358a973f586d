# SPDX-License-Identifier: MIT
"""What a transaction needs before it may begin: an open batch, the host, a supervisor, more data to seal with the card's."""

from kassa.errors import Refused
from kassa.flows.session import Session


def need_open(session: Session) -> None:
    """Raises Refused while the close of the batch has no answer: nothing is taken then."""
    if session.till.journal.state.closing:
        raise Refused("settle_unfinished")


def need_host(session: Session) -> None:
    """Raises Refused when the host cannot be asked now."""
    need_open(session)
    if not session.till.online_allowed() or not session.connection.reachable():
        raise Refused("only_online")


async def need_supervisor(session: Session) -> None:
    """Raises Refused when no supervisor agrees."""
    from kassa.flows.steps import supervisor

    if not await supervisor.allowed(session):
        raise Refused("supervisor_needed")


def seal_with_card(session: Session, tag: int, value: "bytes | bytearray") -> None:
    """Seal one more object with the data of the card that was read. Raises CardError when there is no room."""
    from kassa.card import sealed_body

    sealed_body.add(session.card(), tag, value)
