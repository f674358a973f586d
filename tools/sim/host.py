# SPDX-License-Identifier: MIT
"""A settlement host with a simulated issuer and wallet, and moods: for tests, the demo and the panel."""

import datetime
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tools.host import app, private_files
from tools.host.errors import SetupError
from tools.host.keys import pki
from tools.host.outside.issuer import Issuer
from tools.host.outside.wallet import Wallet
from tools.host.store.ledger import Ledger
from tools.sim import gateway, moods
from tools.sim.moody_service import MoodyService


class Host(app.Host):
    """See app.Host. `db`: the database, if it is not HOME/host.db. `issuer` and `wallet` replace the simulators.

    It has the published test keys, and the CA that signs its terminals' certificates lies beside it in HOME/ca.
    """

    service: MoodyService
    test_keys_level = logging.INFO  # whoever starts it says that it is a simulator

    def __init__(
        self,
        home: Path,
        *,
        db: Path | None = None,
        now: Callable[[], datetime.datetime] = datetime.datetime.now,
        issuer: Issuer | None = None,
        wallet: Wallet | None = None,
        **more: Any,
    ) -> None:
        private_files.folder(home)
        self.authority = pki.ensure(home)
        ledger = Ledger(db or home / "host.db")
        gateway.settle_in(home)
        self.simulator, self.wallet = gateway.create(ledger, now)
        super().__init__(
            home,
            issuer or self.simulator,
            wallet or self.wallet,
            ledger=ledger,
            service=MoodyService,
            now=now,
            test_keys=True,
            **more,
        )

    @property
    def mood(self) -> str:
        """How the host behaves; see moods.py. Setting an unknown mood raises SetupError."""
        return str(self.service.mood)

    @mood.setter
    def mood(self, text: str) -> None:
        self.set_mood(text)

    def set_mood(self, text: str) -> str:
        """Set the mood and return it in canonical form. Raises SetupError for an unknown mood."""
        mood = moods.parse(text)
        self.simulator.refuse_with = mood.code
        self.wallet.mood = mood.kind if mood.kind in moods.WALLET else ""
        self.service.mood = mood
        return str(mood)

    def view(self) -> dict[str, Any]:
        """See app.Host.view; and the mood."""
        return {**super().view(), "mood": self.mood}

    def routes(self) -> list[Route]:
        """See app.Host.routes; and POST /api/mood."""
        return [*super().routes(), Route("/api/mood", self._take_mood, methods=["POST"])]

    async def _take_mood(self, request: Request) -> JSONResponse:
        if not request.headers.get("content-type", "").startswith("application/json"):
            return JSONResponse({"error": "send JSON"}, 415)  # so that a form on another site cannot do it
        try:
            understood = self.set_mood(str((await request.json())["mood"]))
        except (SetupError, ValueError, KeyError, TypeError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"mood": understood})
