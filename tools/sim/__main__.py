# SPDX-License-Identifier: MIT
"""Run a settlement host with a simulated issuer: python -m tools.sim --home DIR. Prints one JSON line when it is ready."""

import json
from pathlib import Path

import click

from tools.host.errors import HostError
from tools.host.running import process
from tools.host.settings import LOOPBACK
from tools.sim.host import DEMO, Host


@click.command(
    help="A settlement host with a simulated issuer and wallet. Its certificates, keys, terminal list and database live in HOME."
)
@click.option(
    "--home", type=click.Path(path_type=Path, file_okay=False), required=True, help="home folder; created if missing"
)
@click.option("--address", default=LOOPBACK, show_default=True, help="address for terminals")
@click.option("--page-address", default=LOOPBACK, show_default=True, help="address of the page")
@click.option("--port", default=0, help="port for terminals (TLS); 0 picks a free one")
@click.option("--page-port", default=0, help="port for the page and its JSON; 0 picks a free one")
@click.option("--wire-log", type=click.Path(path_type=Path), help="append every frame to this file")
@click.option("--db", type=click.Path(path_type=Path), help="database instead of HOME/host.db")
@click.option("--terminal", "terminals", multiple=True, metavar="TID,MID,IKID", help="register a terminal")
def main(
    home: Path,
    address: str,
    page_address: str,
    port: int,
    page_port: int,
    wire_log: Path | None,
    db: Path | None,
    terminals: tuple[str, ...],
) -> None:
    login: dict[str, str] = {}

    def create() -> Host:
        host = Host(
            home, port=port, page_port=page_port, address=address, page_address=address, db=db, wire_log=wire_log
        )
        for line in terminals:
            if line.count(",") != 2:
                raise click.ClickException(f"--terminal {line}: terminal id, merchant id and initial key id are wanted")
            host.register(*line.split(","))
        login.update(user=DEMO, password=host.new_login())
        return host

    try:
        with process.running(home, create) as host:
            print(json.dumps({"ready": True, "port": host.port, "page_port": host.page_port, **login}), flush=True)
            process.wait()
    except HostError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
