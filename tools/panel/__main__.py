# SPDX-License-Identifier: MIT
"""`python -m tools.panel`: runs host, terminal and page in one process until Ctrl-C."""

import os
import signal
import threading
from pathlib import Path
from types import FrameType

import click

from tools.host.errors import HostError
from tools.host.folder_lock import Taken, claim, clear, contents
from tools.panel.server import Server
from tools.panel.simulation import Simulation
from tools.provision.device import Operator, Terminal
from tools.sim.host import DEMO
from tools.whole_system import PROVISIONED, folders
from tools.world import interpreter
from tools.world.power import ROOT
from tools.world.world import WorldError

_STOP = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command(help="Run the terminal in a web page, with virtual cards and its own settlement host.")
@click.option(
    "--home",
    type=click.Path(path_type=Path),
    default=ROOT / "build" / "run",
    show_default="build/run",
    help="folder for flash.bin, host.db and the cards' counters, kept between runs",
)
@click.option("--fresh", is_flag=True, help="discard the last run: new flash, new keys, empty ledger")
@click.option("--port", default=8580, show_default=True, help="port of the page; if taken, the next free one")
@click.option("--language", type=click.Choice(["en", "zh"]), default="en", show_default=True, help="of a new terminal")
def main(home: Path, fresh: bool, port: int, language: str) -> None:
    interpreter.require()
    stop = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in _STOP:
        signal.signal(number, on_signal)
    try:
        with claim(*folders(home)):
            _run(home, fresh, port, _terminal(language), stop)
    except (Taken, HostError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"\nClosed. Payments are kept in {_short(home)}; use --fresh to start over.")


def _run(home: Path, fresh: bool, port: int, terminal: Terminal, stop: threading.Event) -> None:
    """Run the simulation and the page until `stop` is set."""
    if fresh:
        _forget(home)
    try:
        with Simulation(home, interpreter.micropython(), terminal) as simulation, Server(simulation, port) as server:
            simulation.commands.do({"do": "power", "on": True})
            click.echo(
                f"Kassa is open at {server.address} (a simulator with test cards, no real money; "
                f"{_people(simulation)}; Ctrl-C closes it)"
            )
            host = simulation.system.host
            click.echo(
                f"Its settlement host's pages: http://127.0.0.1:{host.page_port} (user {DEMO}, password {host.new_login()})"
            )
            stop.wait()
    except WorldError:
        pass  # Ctrl-C also reaches the interpreter, which prints a traceback; it is in console.log


def _terminal(language: str) -> Terminal:
    """A shop with staff. Their codes are published: they hang on the wall of the page."""
    staff = (Operator(1, "c", "5086"), Operator(99, "a", "864209"))
    return Terminal(language=language, operators=staff, supervisor_code="246813")


def _forget(home: Path) -> None:
    """Remove an earlier run. Raises ClickException if `home` holds anything else."""
    if contents(home) and not (home / PROVISIONED).exists():
        raise click.ClickException(f"{home} holds no earlier run of the panel: not removed")
    clear(home)


def _people(simulation: Simulation) -> str:
    """Who may log in, with which code."""
    staff = ", ".join(f"{one['number']:02} code {one['code']}" for one in simulation.staff)
    return f"operators {staff}" if staff else f"supervisor code {simulation.system.supervisor_code}"


def _short(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


if __name__ == "__main__":
    main()
