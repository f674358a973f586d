# SPDX-License-Identifier: MIT
"""A host as a merchant runs it: its own keys, sealed, and a CA in a folder elsewhere. Its issuer is the simulated one."""

import datetime
import os
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result

from tools.host import app
from tools.host.__main__ import main
from tools.host.keys import passphrase
from tools.host.store.ledger import Ledger
from tools.sim.issuer import IssuerSimulator
from tools.sim.wallet import WalletSimulator

SECRET = "correct horse battery"
NAME = "kassa-host.test"


def give_passphrases(folder: Path, setenv: Callable[[str, str], None], secret: str = SECRET) -> None:
    """Name files with passphrases in the environment."""
    for name in (passphrase.KEYS, passphrase.CA, passphrase.BEFORE):
        path = folder / f"{name}.txt"
        path.touch(0o600)
        path.write_text(secret + "\n")
        setenv(passphrase.variable(name), str(path))


def run(*arguments: object, words: str = "", status: int = 0) -> Result:
    """kassa-host with these arguments; `words` are typed. Asserts the exit status."""
    mask = os.umask(0o077)
    try:
        result = CliRunner().invoke(main, [str(one) for one in arguments], input=words)
    finally:
        os.umask(mask)
    assert result.exit_code == status, result.output
    return result


def make_certificates(home: Path, ca: Path) -> None:
    """The road of docs/host-keys.md, from an empty folder to a host with certificates."""
    run("ca", "--folder", ca, "init", "Old Street Teahouse")
    run("ca", "request", NAME, "--home", home)
    run("ca", "--folder", ca, "host", NAME, "--csr", home / "host.csr", "--out", home / "host.pem")
    for name in ("ca.pem", "crl.pem"):
        (home / name).write_bytes((ca / name).read_bytes())


def start(home: Path, **options: object) -> app.Host:
    """A host that runs."""
    now = datetime.datetime.now
    ledger = Ledger(home / "host.db")
    host = app.Host(home, IssuerSimulator(ledger, now), WalletSimulator(), ledger=ledger, **options)  # type: ignore[arg-type]
    return host.start()
