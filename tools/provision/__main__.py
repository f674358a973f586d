# SPDX-License-Identifier: MIT
"""`python -m tools.provision`: makes a terminal of a chip that has been flashed with Kassa. See docs/flashing.md."""

from pathlib import Path

import click

from tools.hardware.catalogue import board, boards
from tools.host.errors import HostError
from tools.provision import form
from tools.provision.chip import Target
from tools.provision.errors import BadInput, ProvisionError, Refused
from tools.provision.merchant_host import MerchantHost
from tools.provision.run import STEPS, examine, run

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command(help="Make a terminal of a chip that has been flashed with Kassa. Asks for what is not given; secrets are "
               "always asked for.")  # fmt: skip
@click.option("--port", required=True, help="serial port of the chip, such as /dev/ttyACM0")
@click.option("--board", "name", default="", help="the chip's board; without it, the one that fits")
@click.option("--again", is_flag=True, help="the chip is a terminal already: new settings and certificates, same keys")
@click.option("--host-home", type=_FOLDER, default=Path("build/host"), show_default=True, help="the host's folder")
@click.option("--ca", type=_FOLDER, help="the folder of the CA that signs its certificate; HOST_HOME/ca without it")
@click.option("--test-keys", is_flag=True, help="for trying things out: keys that everybody knows, and a CA of no use")
@click.option("--labels", type=_FOLDER, default=Path("build/labels"), show_default=True, help="folder for the label")
@click.option("--terminal-id", help="8 characters")
@click.option("--merchant-id", help="15 characters")
@click.option("--merchant-name", help="as on the receipt")
@click.option("--language", type=click.Choice(["zh", "en"]))
@click.option("--host-address", help="name or IP address at which the terminal finds the host")
@click.option("--host-port", default=8583, show_default=True)
@click.option("--parameters", type=_FILE, help="JSON: offline_limits, offline_approval, largest_sale")
@click.option("--ca-keys", type=_FILE, help="JSON list of the schemes' keys and revocations")
def main(
    port: str,
    name: str,
    again: bool,
    host_home: Path,
    labels: Path,
    host_port: int,
    ca: Path | None,
    test_keys: bool,
    parameters: Path | None,
    ca_keys: Path | None,
    **given: str | None,
) -> None:
    try:
        targets = _targets(name)
        facts, _ = examine(port, targets, again)
        click.echo(f"{facts.board}, MAC {facts.mac}, Kassa {facts.firmware}")
        terminal = form.ask(given, host_port, parameters, ca_keys)
        if test_keys and not (host_home / "ca.pem").exists():
            click.echo(f"note: {host_home} is a new host: its certificates are made now", err=True)
        host = MerchantHost(host_home, ca, test_keys)
        if host.has_test_key:
            click.echo("warning: this host has the standard's test key: anybody can read its payments", err=True)
        try:
            done = run(port, targets, terminal, host, labels, again=again, step=_tell)
        finally:
            host.close()
    except (ProvisionError, HostError) as error:
        click.echo(f"provision: {'refused: ' if isinstance(error, Refused) else ''}{error}", err=True)
        raise SystemExit(2 if isinstance(error, Refused | BadInput) else 1) from None
    click.echo(
        f"{terminal.terminal_id} is ready. Key {done.key_id}, check value {done.check_value}, label {done.label}"
    )


def _targets(name: str) -> list[Target]:
    """The board of this name, or all boards. Raises BadInput."""
    try:
        return [Target.of(each) for each in ([board(name)] if name else boards())]
    except KeyError as error:
        raise BadInput(str(error.args[0])) from None


def _tell(step: str) -> None:
    click.echo(f"{list(STEPS).index(step) + 1:2}/{len(STEPS)}  {STEPS[step]}")


if __name__ == "__main__":
    main()
