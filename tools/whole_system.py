# SPDX-License-Identifier: MIT
"""The whole system in one folder and one process: settlement host, provisioned terminal, and the world around it."""

from collections.abc import Callable
from pathlib import Path

from tools.host import private_files
from tools.provision.device import Terminal, provision
from tools.sim.host import Host
from tools.world import interpreter
from tools.world.power import FIRMWARE, Power
from tools.world.world import World

PROVISIONED = "provisioned"  # a file with the supervisor code; exists once the system is provisioned


def folders(home: Path) -> tuple[Path, Path, Path]:
    """The folders to lock: the system, its host, its terminal."""
    return home, home / "host", home / "terminal"


class WholeSystem:
    """`home` keeps host/, terminal/ and wire.log between runs; an empty one is provisioned first.

    `db`: the URL of the host's database, if it is not a file in host/. `speed` and the other options are World's. Use it as
    a context manager. Power is off until `world.power_on()`.
    """

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
    ) -> None:
        self.home = private_files.folder(home)
        self.terminal = terminal or Terminal()
        self.host = Host(home / "host", db=db, page_port=page_port, wire_log=home / "wire.log")
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

    def __enter__(self) -> "WholeSystem":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.world.close()
        finally:
            self.host.stop()
