# SPDX-License-Identifier: MIT
"""The whole system in one folder and one process: settlement host, provisioned terminal, and the world around it."""

import datetime
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from sqlalchemy import select

from tools.host import private_files
from tools.host.outside.wallet import Wallet
from tools.host.settings import Limits
from tools.host.store.ledger import Ledger
from tools.host.store.schema import published
from tools.host.tables import publication, terminal_settings
from tools.provision.device import Terminal, provision
from tools.sim.host import Host
from tools.world import interpreter
from tools.world.power import FIRMWARE, Power
from tools.world.world import World

if TYPE_CHECKING:
    from tools.sim.wallets import WalletServices

# How long the host waits for a chip whose processor is emulated.
_PATIENT = Limits(shutdown_seconds=0, handshake_seconds=120, frame_seconds=300, idle_seconds=1200, answer_seconds=300)
PROVISIONED = "provisioned"  # a file with the supervisor code; exists once the system is provisioned


def folders(home: Path) -> tuple[Path, Path, Path]:
    """The folders to lock: the system, its host, its terminal."""
    return home, home / "host", home / "terminal"


class WholeSystem:
    """`home` keeps host/, terminal/, wallets/ and wire.log between runs; an empty one is provisioned first.

    `db`: the URL of the host's database, if it is not a file in host/. `wallets`: WeChat Pay, Alipay and Lightning, simulated
    behind HTTP and signatures, instead of one toy wallet; "real": Lightning by the real LNbits server if there is one.
    `now`: the host's local time. `speed` and the other options are World's. Use it as a context manager. Power is off until
    `world.power_on()`.
    """

    wallets: "WalletServices | None" = None

    def __init__(
        self,
        home: Path,
        *,
        micropython: str | None = None,
        terminal: Terminal | None = None,
        speed: str = "jump",
        heap: str | None = None,
        source: Path = FIRMWARE,
        page_port: int = 0,
        overlay: Path | None = None,
        power: Callable[[Path, int], Power] | None = None,
        db: str | None = None,
        wallets: Literal["", "simulated", "real"] = "",
        now: Callable[[], datetime.datetime] = datetime.datetime.now,
    ) -> None:
        self.home = private_files.folder(home)
        self.terminal = terminal or Terminal()
        starting = self._start_wallets(wallets == "real") if wallets else None
        try:
            make = self._wallets_of(starting) if starting else None
            wire = home / "wire.log"
            limits = _PATIENT if power else Limits(shutdown_seconds=0)
            self.host = Host(
                home / "host", db=db, now=now, page_port=page_port, wire_log=wire, wallets=make, limits=limits
            )
        except BaseException:
            if starting and not starting.exception():
                starting.result().stop()
            raise
        if wallets:
            self._name_wallets()
        mark = home / PROVISIONED
        if mark.exists():
            self.supervisor_code = mark.read_text()
        else:
            self.supervisor_code = provision(home / "terminal", home / "host", self.terminal, self.host.keys)
            private_files.write(mark, self.supervisor_code.encode())
        ikid = self.terminal.initial_key_id.hex()
        self.host.register(self.terminal.terminal_id, self.terminal.merchant_id, ikid)
        self.host.start()
        self.world = World(
            home / "terminal",
            host_port=self.host.port,
            micropython=micropython or interpreter.micropython(),
            speed=speed,
            heap=heap,
            source=source,
            overlay=overlay,
            power=power,
        )
        self.world.radio.network, self.world.radio.key = self.terminal.wifi_name, self.terminal.wifi_password

    def __enter__(self) -> "WholeSystem":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.world.close()
        finally:
            try:
                self.host.stop()
            finally:
                if self.wallets:
                    self.wallets.stop()

    def _start_wallets(self, real: bool) -> "Future[WalletServices]":
        """They start while the host is made."""
        from tools.sim.wallets import WalletServices  # only here: a system with the toy wallet starts faster

        return WalletServices.start(self.home / "wallets", self.terminal.merchant_name, real)

    def _wallets_of(self, starting: "Future[WalletServices]") -> Callable[[Path, Ledger], Wallet]:
        def of(home: Path, ledger: Ledger) -> Wallet:
            self.wallets = starting.result()
            return self.wallets.of(home, ledger)

        return of

    def _name_wallets(self) -> None:
        """Publish the wallets whose codes the till can show, unless the terminals' settings were published before."""
        from tools.sim.wallets.services import LABELS

        with self.host.ledger.read() as db:
            known = db.execute(select(published.c.version).where(published.c.network == publication.PARAMETERS)).first()
        if not known:
            named = publication.parameters({0x16: terminal_settings.pack_wallets(LABELS)})
            self.host.tables.publish(publication.PARAMETERS, named, "tools.sim")
