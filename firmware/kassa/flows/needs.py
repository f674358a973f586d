# SPDX-License-Identifier: MIT
"""What a transaction needs before it may begin: the host, a supervisor."""

from kassa.errors import Refused
from kassa.flows.result import need_open
from kassa.flows.shop import Shop
from kassa.modules import forget_all


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
