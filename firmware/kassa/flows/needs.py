# SPDX-License-Identifier: MIT
"""What a transaction needs beside a card: the host, a supervisor, something to be sealed with it."""

from kassa.errors import Refused
from kassa.flows.result import need_open
from kassa.flows.shop import Shop
from kassa.modules import forget, forget_all


def need_host(shop: Shop) -> None:
    """Raises Refused when the host cannot be asked now."""
    need_open(shop)
    if not shop.till.online_allowed() or not shop.line.reachable():
        raise Refused("only_online")


async def need_supervisor(shop: Shop) -> None:
    """Raises Refused when no supervisor agrees."""
    from kassa.flows import supervisor

    agreed = await supervisor.allowed(shop)
    del supervisor
    forget_all(("flows.supervisor",))
    if not agreed:
        raise Refused("supervisor_needed")


def take_along(shop: Shop, tag: int, value: "bytes | bytearray") -> None:
    """Seal one more object with the card that was read. Raises CardError when there is no room."""
    from kassa.card import body

    try:
        body.add(shop.arena, tag, value)
    finally:
        del body
        forget("kassa.card.body")
