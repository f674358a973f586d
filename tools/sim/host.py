# SPDX-License-Identifier: MIT
"""A settlement host with a simulated issuer and wallet, and moods: for tests, the demo and the panel."""

import datetime
import logging
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tools.host import app, private_files
from tools.host.errors import SetupError
from tools.host.keys import pki
from tools.host.outside import outbox
from tools.host.outside.issuer import Issuer
from tools.host.outside.wallet import Wallet
from tools.host.page import users, viewer
from tools.host.settings import Limits
from tools.host.store.ledger import Ledger
from tools.sim import gateway, moods, view
from tools.sim.moody_service import MoodyService

DEMO = "demo"
NOTICE = {
    "en": "Simulated: issuer and wallet are programs, and no money moves.",
    "zh": "模拟：发卡行与钱包均为程序，没有真实资金。",
}
_PATIENCE = 20.0  # seconds


class Host(app.Host):
    """See app.Host. `issuer` and `wallet` replace the simulators; `wallets` makes a wallet of HOME and the ledger.

    `db`: the database (a file or a PostgreSQL URL), if it is not HOME/host.db. It has the published test keys, and the CA
    that signs its terminals' certificates lies beside it in HOME/ca.
    """

    service: MoodyService
    test_keys_level = logging.INFO  # whoever starts it says that it is a simulator

    def __init__(
        self,
        home: Path,
        *,
        db: Path | str | None = None,
        now: Callable[[], datetime.datetime] = datetime.datetime.now,
        issuer: Issuer | None = None,
        wallet: Wallet | None = None,
        wallets: Callable[[Path, Ledger], Wallet] | None = None,
        **more: Any,
    ) -> None:
        private_files.folder(home)
        self.authority = pki.ensure(home)
        ledger = Ledger(db or home / "host.db")
        gateway.settle_in(home, bool(wallets))
        self.simulator, self.wallet = gateway.create(ledger, now)
        super().__init__(
            home,
            issuer or self.simulator,
            wallets(home, ledger) if wallets else wallet or self.wallet,
            ledger=ledger,
            service=MoodyService,
            now=now,
            notice=NOTICE,
            test_keys=True,
            **{"limits": Limits(shutdown_seconds=0), **more},  # it stops as if its power failed
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

    def wait_until_told(self) -> None:
        """Wait until issuer and wallet know all that they are to be told. Raises TimeoutError."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            with self.ledger.read() as db:
                if not outbox.open_rows(db, 1):
                    return
            time.sleep(0.01)
        raise TimeoutError("the outbox does not become empty")

    def view(self) -> dict[str, Any]:
        """See view.view; and the mood."""
        return {**view.view(self.ledger, self.counters, self.certificate_ends), "mood": self.mood}

    def routes(self) -> list[Route]:
        """See app.Host.routes; and GET /api/ledger and POST /api/mood."""
        mood = Route("/api/mood", self._take_mood, methods=["POST"])
        return [*super().routes(), view.route(self.view), mood]

    def new_login(self) -> str:
        """A new password for the pages' user `demo`, who may do everything there."""
        password = secrets.token_urlsafe(12)
        with self.ledger.write() as db:
            if users.find(db, "", DEMO):
                users.set_password(db, "", DEMO, password, "tools.sim")
            else:
                users.add(db, "", DEMO, viewer.ADMINISTRATOR, password, "tools.sim")
        return password

    async def _take_mood(self, request: Request) -> JSONResponse:
        if not request.headers.get("content-type", "").startswith("application/json"):
            return JSONResponse({"error": "send JSON"}, 415)  # so that a form on another site cannot do it
        try:
            understood = self.set_mood(str((await request.json())["mood"]))
        except (SetupError, ValueError, KeyError, TypeError, RecursionError) as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"mood": understood})
