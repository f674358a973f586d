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

_KEYS = """[keys]
test = true
"""
_SETTINGS = f"""# A host for tests: its issuer and wallet are simulated, and no money moves.
[outside]
gateway = "tools.sim.gateway:create"
{_KEYS}"""
_SETTINGS_WITH_WALLETS = f"""# A host for tests: its wallets are simulated, and no money moves.
{_KEYS}"""


def create(ledger: Ledger, now: Callable[[], datetime.datetime]) -> tuple[IssuerSimulator, WalletSimulator]:
    """See outside.gateway."""
    return IssuerSimulator(ledger, now), WalletSimulator()


def settle_in(home: Path, has_wallets: bool = False) -> None:
    """Write the settings of a simulated host, unless somebody else wrote some. `has_wallets`: in acquirers.toml."""
    path = home / FILE
    ours = {False: _SETTINGS.encode(), True: _SETTINGS_WITH_WALLETS.encode()}
    if not path.exists() or path.read_bytes() == ours[not has_wallets]:
        private_files.write(path, ours[has_wallets])
