# SPDX-License-Identifier: MIT
"""The whole settlement host in one object, on its own thread, for tests, the demo and the panel."""

import asyncio
import datetime
import json
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from sqlalchemy.exc import SQLAlchemyError
from starlette.routing import Route

from tools.host import private_files
from tools.host.acquirers import notifications
from tools.host.acquirers.wallets import Wallets
from tools.host.books import payment_file
from tools.host.errors import SetupError
from tools.host.keys import host_keys, pki
from tools.host.keys.key_store import KeyStore
from tools.host.network.listener import Listener
from tools.host.operations.operator_work import Door, Operator
from tools.host.outside.issuer import Issuer
from tools.host.outside.wallet import Wallet
from tools.host.page.site import Site, application
from tools.host.running import logs
from tools.host.running.metrics import Metrics
from tools.host.running.web_server import WebServer
from tools.host.settings import LOOPBACK, Limits
from tools.host.store import lock
from tools.host.store.ledger import Ledger
from tools.host.tables.publication import Tables
from tools.host.transactions.service import Service
from tools.host.wire.wire_log import WireLog

TEST_KEYS = {
    "en": "Test keys: everybody knows them. No real payment may be taken with this host.",
    "zh": "测试密钥：人人皆知。本主机不得受理真实支付。",
}
_START = _STOP = 20.0  # seconds


class Host:
    """A settlement host. `home` holds its files: certificates of CA and host, keys.sealed, terminals.json, host.db.

    `issuer` and `wallet` decide payments; nothing in this class approves one by itself. `keys`: the host's keys, if they
    are open already. `test_keys`: work with the published test keys, which protect nothing. `port`, `page_port` and
    `metrics_port`: 0 picks a free port; None: no metrics. `address` is the terminals'. `page_hosts`:
    names under which the pages may be called, beside their address and loopback. `notice`: a sentence on every page, by
    language; without it the pages say it if the keys are the test keys. `now` returns the host's local time
    and may be replaced later. Call `start` and `stop`, or use it as a context manager.
    """

    test_keys_level = logging.WARNING  # of the line in the log that says so

    def __init__(
        self,
        home: Path,
        issuer: Issuer,
        wallet: Wallet,
        *,
        keys: KeyStore | None = None,
        test_keys: bool = False,
        ledger: Ledger | None = None,
        service: type[Service] = Service,
        port: int = 0,
        page_port: int = 0,
        metrics_port: int | None = None,
        address: str = LOOPBACK,
        page_address: str = LOOPBACK,
        metrics_address: str = LOOPBACK,
        limits: Limits | None = None,
        lost_lines: Callable[[], int] = int,
        page_hosts: Collection[str] = (),
        notice: Mapping[str, str] | None = None,
        wire_log: Path | None = None,
        now: Callable[[], datetime.datetime] = datetime.datetime.now,
    ) -> None:
        private_files.folder(home)
        self.home = home
        self._ends = _certificate(home)
        self.keys = keys or host_keys.find(home, test_keys)
        if self.keys.is_test:
            logs.say(self.test_keys_level, "TEST KEYS", meaning="anybody can read and make payments of this host")
            notice = notice or TEST_KEYS
        self.port, self.page_port, self.metrics_port = port, page_port, metrics_port
        self.ledger = ledger or Ledger(home / "host.db")
        self.now = now
        self._address, self._page_address, self._metrics_address = address, page_address, metrics_address
        names, payer = (*page_hosts, page_address), lambda: payment_file.payer(home)
        self._site = Site(self.ledger, lambda: self.now(), names, notice or {}, payer)
        self._log = WireLog(wire_log)
        self.tables = Tables(self.ledger)
        self.tables.take_over(home / "tables.json")
        self._wallet = wallet
        self.service = service(self.ledger, self.keys, issuer, wallet, self.tables, lambda: self.now())
        self.operator = Operator(self.service, self.keys)
        self._door = Door(home, self.operator.do)
        self.metrics = Metrics(lambda: self.counters, lost_lines)
        self.listener = Listener(home, self.service, self._log, self.ledger, limits, self.metrics.took)
        self.metrics.watch(self.listener, self.ledger)
        self._loop = asyncio.new_event_loop()
        self._served = ExitStack()
        self._ready = threading.Event()
        self._stopping = asyncio.Event()
        self._fault: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="kassa-host", daemon=True)
        for terminal in _terminals(home / "terminals.json"):
            if not self.ledger.knows(terminal["terminal"]):  # what the database knows may be newer
                self.register(**terminal)

    def register(self, terminal: str, merchant: str, ikid: str) -> None:
        """Register a terminal: DE 41 (8 characters), DE 42 (15), initial key id (16 hex digits, BDK id first)."""
        if len(terminal) != 8 or len(merchant) != 15 or len(ikid) != 16:
            raise SetupError(f"terminal {terminal!r}: ids have 8, 15 and 16 characters")
        self.ledger.register(terminal, merchant, bytes.fromhex(ikid))

    @property
    def counters(self) -> dict[str, int]:
        """Counts of frames, connections, garbage and more since the start."""
        return dict(self.service.counters)

    @property
    def certificate_ends(self) -> datetime.datetime:
        """When the host's own certificate expires."""
        identity = self.listener.identity
        return identity.ends if identity else self._ends

    def routes(self) -> list[Route]:
        """The routes beside the pages."""
        if isinstance(self._wallet, Wallets):
            hints = notifications.route(self.ledger, self._wallet, self.service.messenger.wake)
            return [*self._door.routes, hints]
        return self._door.routes

    def start(self) -> Self:
        """Start serving. Returns when the ports are open; raises SetupError if they do not open."""
        if self.ledger.is_sqlite:
            self._served.enter_context(lock.serve(self.ledger.path))
            self.ledger.let_go()
        self._thread.start()
        if not self._ready.wait(_START) or self._fault:
            raise SetupError(f"the host did not start: {self._fault or 'it takes too long'}")
        return self

    def stop(self) -> None:
        """Close the ports, finish what is being answered within the limit, and close the database.

        Everything answered is already on disk.
        """
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join(_STOP + 2 * self.listener.limits.shutdown_seconds)
        self._log.close()
        self.service.close()
        self.ledger.close()
        self.keys.close()
        self._served.close()

    def __enter__(self) -> Self:
        return self if self._thread.is_alive() else self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        except (OSError, ValueError, SetupError, SQLAlchemyError) as fault:
            self._fault = fault
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        pages, metrics = WebServer(application(self._site, self.routes())), WebServer(self.metrics.application())
        within = self.listener.limits.shutdown_seconds
        try:
            await self.listener.start(self._address, self.port)
            self.port = self.listener.port
            await pages.start(self._page_address, self.page_port)
            self.page_port = pages.port
            if self.metrics_port is not None:
                await metrics.start(self._metrics_address, self.metrics_port)
                self.metrics_port = metrics.port
            self._door.open(self._page_address, self.page_port)
            messenger = asyncio.create_task(self.service.messenger.run())
            self._ready.set()
            await self._stopping.wait()
            self.metrics.stopping = True
            self._door.close()
            await self.listener.stop()
            messenger.cancel()
        finally:
            await asyncio.gather(self.listener.stop(), pages.stop(within))
            await metrics.stop(0)
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)


def _certificate(home: Path) -> datetime.datetime:
    """When the host's certificate ends. Raises SetupError if certificate or key cannot be used."""
    if (home / "ca.key.pem").exists():
        raise SetupError(
            f"{home / 'ca.key.pem'} does not belong here: kassa-host ca init --take moves the CA elsewhere"
        )
    try:
        if not (home / "ca.pem").exists():
            raise FileNotFoundError(home / "ca.pem")
        return pki.Identity.load(home, "host").certificate.not_valid_after_utc
    except FileNotFoundError as error:
        path = Path(error.filename or str(error))
        raise SetupError(f"{path} is missing: kassa-host ca makes the certificates (docs/host-keys.md)") from None
    except (OSError, ValueError) as error:
        raise SetupError(f"{home}: the host's certificate: {error}") from None


def _terminals(path: Path) -> list[dict[str, str]]:
    """Read `terminals.json`: [{"terminal": ..., "merchant": ..., "ikid": hex}]."""
    if not path.exists():
        return []
    try:
        return [{name: row[name] for name in ("terminal", "merchant", "ikid")} for row in json.loads(path.read_text())]
    except (ValueError, KeyError, TypeError):
        raise SetupError(f'{path.name} must be a list of {{"terminal", "merchant", "ikid"}}') from None
