# SPDX-License-Identifier: MIT
"""Notifications of wallet providers: POST /api/notify/NAME, of the wallet NAME in acquirers.toml.

A notification only makes the host ask about the order now, if it is still open. What it says is not believed.
"""

import logging
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tools.host.acquirers import orders
from tools.host.acquirers.provider import Notifies
from tools.host.acquirers.wallets import Wallets
from tools.host.errors import ProviderFault
from tools.host.running import logs
from tools.host.store.ledger import Ledger

PATH = "/api/notify/{name}"


def route(ledger: Ledger, wallets: Wallets, wake: Callable[[], None]) -> Route:
    """The route. `wake`: called when an order is due now."""

    def heard(reference: str, name: str) -> bool:
        with ledger.write() as db:
            return orders.hurry(db, reference, name)

    async def notified(request: Request) -> Response:
        name = request.path_params["name"]
        wallet = wallets.wallets.get(name)
        if wallet is None or not isinstance(wallet.provider, Notifies):
            return Response(status_code=404)
        try:
            reference = wallet.provider.hint(request.headers, await request.body())
        except ProviderFault as fault:
            logs.say(logging.WARNING, "not a notification", wallet=name, fault=str(fault))
            return Response(status_code=400)
        if await wallets.in_thread(heard, reference, name):
            wake()
        return Response(status_code=204)

    return Route(PATH, notified, methods=["POST"])
