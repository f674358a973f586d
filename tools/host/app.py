# SPDX-License-Identifier: MIT
"""The whole host in one object: it runs in a thread of its own, so that a test, the demo or the panel can hold it."""

import asyncio
import datetime
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from tools.host import moods, page
from tools.host.errors import SetupError
from tools.host.issuer import Issuer, IssuerSimulator
from tools.host.keys import HostKeys
from tools.host.ledger import Ledger
from tools.host.listener import Listener, tls_context
from tools.host.service import Service
from tools.host.tables import Tables
from tools.host.wallet import Wallet, WalletSimulator
from tools.host.wirelog import WireLog
from tools.provision import pki

_START = _STOP = 20.0  # seconds
_ADDRESS = "127.0.0.1"


class Host:
    """A settlement host with its files in `home`: ca, host certificate, keys.json, terminals.json, host.db.

    `port` and `page_port` are chosen when 0; `now` gives the host's local time and may be set later; `issuer` and `wallet`
    take the simulators' places. Start and stop it, or use a `with`.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        page_port: int = 0,
        address: str = _ADDRESS,
        db: Path | None = None,
        wire_log: Path | None = None,
        now: Callable[[], datetime.datetime] = datetime.datetime.now,
        issuer: Issuer | None = None,
        wallet: Wallet | None = None,
    ) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.authority = pki.ensure(home)
        self._ends = pki.Identity.load(home, "host").certificate.not_valid_after_utc
        self.port, self.page_port = port, page_port
        self.ledger = Ledger(db or home / "host.db")
        self.keys = HostKeys(home)
        self.now = now
        self.simulator = IssuerSimulator(self.ledger, now)
        self._address = address
        self._log = WireLog(wire_log)
        self.wallet = WalletSimulator()
        self.tables = Tables(home)
        self._service = Service(
            self.ledger, self.keys, issuer or self.simulator, wallet or self.wallet, self.tables, lambda: self.now()
        )
        self._listener = Listener(self._service, self._log, self.ledger.certified)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="kassa-host", daemon=True)
        for terminal in _terminals(home / "terminals.json"):
            self.register(**terminal)

    def register(self, terminal: str, merchant: str, ikid: str) -> None:
        """Make a terminal known: DE 41 (8 characters), DE 42 (15), initial key id (16 hex digits, BDK id first)."""
        if len(terminal) != 8 or len(merchant) != 15 or len(ikid) != 16:
            raise SetupError(f"terminal {terminal!r}: ids have 8, 15 and 16 characters")
        self.ledger.register(terminal, merchant, bytes.fromhex(ikid))

    @property
    def counters(self) -> dict[str, int]:
        """Frames, connections, garbage and so on since the start."""
        return dict(self._service.counters)

    @property
    def mood(self) -> str:
        """How the host behaves; see moods.py. Raises SetupError when set to something that is no mood."""
        return str(self._listener.mood)

    @mood.setter
    def mood(self, text: str) -> None:
        self.set_mood(text)

    def set_mood(self, text: str) -> str:
        """Set the mood; returns it as understood."""
        mood = moods.parse(text)
        self.simulator.refuse_with = mood.code
        self.wallet.mood = mood.kind if mood.kind in moods.WALLET else ""
        self._service.distrust = mood.kind == moods.MISMATCH
        self._listener.mood = mood
        return str(mood)

    def view(self) -> dict[str, Any]:
        """What the page shows, and GET /api/ledger gives."""
        return page.view(self.ledger, self.counters, self.mood, self._ends)

    def start(self) -> "Host":
        """Serve. Returns when both ports are open; raises SetupError when they cannot be."""
        self._thread.start()
        if not self._ready.wait(_START) or self._fault:
            raise SetupError(f"the host did not start: {self._fault}")
        return self

    def stop(self) -> None:
        """Close ports and database. What was answered is on disk already."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_STOP)
        self._log.close()
        self.ledger.close()

    def __enter__(self) -> "Host":
        return self if self._thread.is_alive() else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except (OSError, ValueError) as fault:
            self._fault = fault
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        await self._listener.start(self._address, self.port, tls_context(self.home))
        self.port = self._listener.port
        web = socket.create_server((self._address, self.page_port))
        self.page_port = web.getsockname()[1]
        config = uvicorn.Config(
            page.application(self.view, self.set_mood), log_level="warning", lifespan="off", ws="none"
        )
        server = uvicorn.Server(config)
        pages = asyncio.create_task(server.serve(sockets=[web]))
        while not server.started and not pages.done():
            await asyncio.sleep(0.01)
        self._ready.set()
        await self._stopping.wait()
        self._listener.stop()
        server.should_exit = server.force_exit = True
        await pages
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


def _terminals(path: Path) -> list[dict[str, str]]:
    """`terminals.json`: [{"terminal": ..., "merchant": ..., "ikid": hex}]."""
    if not path.exists():
        return []
    try:
        return [{name: row[name] for name in ("terminal", "merchant", "ikid")} for row in json.loads(path.read_text())]
    except (ValueError, KeyError, TypeError):
        raise SetupError(f'{path.name} must be a list of {{"terminal", "merchant", "ikid"}}') from None
