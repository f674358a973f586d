# SPDX-License-Identifier: MIT
"""The simulated issuer and wallet, for a host whose settings name this module."""

import datetime
from collections.abc import Callable
from pathlib import Path

from tools.host import private_files
from tools.host.settings_file import FILE
from tools.host.store.ledger import Ledger
from tools.sim.issuer import IssuerSimulator
from tools.sim.wallet import WalletSimulator

_SETTINGS = """# A host for tests: its issuer and wallet are simulated, and no money moves.
[outside]
gateway = "tools.sim.gateway:create"
[keys]
test = true
"""


def create(ledger: Ledger, now: Callable[[], datetime.datetime]) -> tuple[IssuerSimulator, WalletSimulator]:
    """See outside.gateway."""
    return IssuerSimulator(ledger, now), WalletSimulator()


def settle_in(home: Path) -> None:
    """Write the settings of a simulated host, unless there are settings."""
    if not (home / FILE).exists():
        private_files.write(home / FILE, _SETTINGS.encode())
