# SPDX-License-Identifier: MIT
"""Runs a settlement host until SIGTERM or SIGINT.

kassa-host run /var/lib/kassa-host
"""

import datetime
import logging
import sys
from pathlib import Path

import click
from rich.console import Console

from tools.host import settings_file
from tools.host.acquirers import configuration
from tools.host.app import Host
from tools.host.errors import HostError, SetupError
from tools.host.keys import host_keys, passphrase
from tools.host.keys.key_store import KeyStore
from tools.host.keys.passphrase import Passphrase
from tools.host.outside import gateway
from tools.host.running import logs, permissions, process
from tools.host.settings import Settings
from tools.host.store.ledger import Ledger
from tools.host.store.open_ledger import database


@click.command(help="Run a host. HOME: its folder, made by init. Ends with SIGTERM or Ctrl-C.")
@click.argument("home", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--test-keys", is_flag=True, help="take the published test keys, which protect nothing: to try things out"
)
def main(home: Path, test_keys: bool) -> None:
    try:
        permissions.keep_private()
        permissions.check(home)
        settings = settings_file.load(home)
        if not (home / settings_file.FILE).exists():
            raise SetupError(f"{home} is not a host's folder: make one with init")
        log = logs.Logging(settings.log)
    except HostError as error:
        raise click.ClickException(str(error)) from None
    try:
        ask = passphrase.once()
        keys = host_keys.find(home, test_keys, ask)  # first: it may ask for the passphrase
        with process.running(home, lambda: _host(home, settings, log, keys, ask)) as host:
            _ready(host, settings)
            why = process.wait()
            logs.say(logging.INFO, "stopping", signal=why)
        logs.say(logging.INFO, "stopped")
    except HostError as error:
        logs.say(logging.ERROR, "not started", fault=str(error))
        raise click.ClickException(str(error)) from None
    finally:
        log.close()


def _host(home: Path, settings: Settings, log: logs.Logging, keys: KeyStore, ask: Passphrase) -> Host:
    missing = process.allow_connections(settings.limits)
    if missing:
        logs.say(logging.WARNING, "too few open files", missing=missing, see="LimitNOFILE of the unit, ulimit -n")
    ledger = Ledger(database(home, settings))
    return Host(
        home,
        *gateway.find(home, ledger, datetime.datetime.now, ask),
        keys=keys,
        ledger=ledger,
        port=settings.terminals.port,
        page_port=settings.page.port,
        metrics_port=settings.metrics.port,
        address=settings.terminals.address,
        page_address=settings.page.address,
        page_hosts=settings.page.hosts.split(),
        metrics_address=settings.metrics.address,
        limits=settings.limits,
        lost_lines=lambda: log.lost,
        wire_log=home / settings.log.wire if settings.log.wire else None,
    )


def _ready(host: Host, settings: Settings) -> None:
    """Say where it is: in the log, and to a person at a terminal."""
    terminals = f"{settings.terminals.address}:{host.port}"
    page, metrics = f"{settings.page.address}:{host.page_port}", f"{settings.metrics.address}:{host.metrics_port}"
    logs.say(logging.INFO, "ready", terminals=terminals, page=page, metrics=metrics)
    if not settings.outside.gateway and not (host.home / configuration.FILE).exists():
        logs.say(logging.WARNING, "no acquirers", meaning="card and code payments stay open: nobody can decide them")
    if sys.stdout.isatty():
        console = Console(highlight=False)
        console.print(
            f"[bold]Terminals[/] {terminals}   [bold]Page[/] http://{page}   [bold]Metrics[/] http://{metrics}/metrics"
        )
