# SPDX-License-Identifier: MIT
"""A host's start: what an operator confuses shows no secret, and the passphrase is asked for once."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tools.host.acquirers import configuration
from tools.host.commands import init, run
from tools.host.errors import SetupError
from tools.host.keys import file_store, passphrase, secret_file
from tools.host.keys.file_store import Secrets
from tools.host.outside import gateway
from tools.host.store.ledger import Ledger

PASSPHRASE = "correct horse battery"
KEY = "0123456789abcdef0123456789abcdef"
WALLET = '[[wallet]]\nkind = "lnbits"\nurl = "https://lnbits.example.com"\nrate = "142.86"\nkey = "{}"\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "host"
    CliRunner().invoke(init.main, [str(home)])
    secret_file.write(home, {"lnbits-key": KEY.encode()}, PASSPHRASE)
    file_store.write(home / file_store.NAME, Secrets({b"bdk1": bytes(range(16))}, {}, bytes(32)), PASSPHRASE)
    return home


def put(home: Path, content: str) -> None:
    path = home / configuration.FILE
    path.touch(mode=0o600)
    path.write_text(content)


@pytest.mark.on_sqlite("asks for no database")
@pytest.mark.parametrize(
    "key", [KEY, "-----BEGIN PRIVATE KEY-----MIIEvQIBADANBgkqhkiG9w0BAQEFAASC", "aPiV3KeyWithCapitals0123456789AB"]
)
def test_a_secret_that_stands_where_its_name_belongs_is_not_shown(home: Path, key: str) -> None:
    """It used to be quoted on the screen and in the log."""
    put(home, WALLET.format(key))
    ledger = Ledger(home / "host.db")
    with pytest.raises(SetupError, match=r"\[\[wallet\]\] 1: key: there is no secret of this name") as told:
        configuration.load(home, ledger, gateway._secrets(home, lambda: PASSPHRASE))
    ledger.close()
    assert key not in str(told.value) and told.value.__cause__ is None


@pytest.mark.on_sqlite("asks for no database")
def test_the_passphrase_is_asked_for_once(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It opens two files, the keys and the secrets of the wallets."""
    put(home, WALLET.format("lnbits-key"))
    asked: list[str] = []

    def typed(prompt: str) -> str:
        asked.append(prompt)
        return PASSPHRASE

    def stop(*_: Any, **_more: Any) -> None:
        raise SetupError("everything was opened")

    monkeypatch.setattr(getpass, "getpass", typed)
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.delenv(passphrase.variable(passphrase.KEYS), raising=False)
    monkeypatch.setattr(run, "Host", stop)
    monkeypatch.setattr("sys.stdin", _Terminal())
    with pytest.raises(Exception, match="everything was opened"):
        run.main.callback(home, False)  # type: ignore[misc]
    assert asked == ["kassa-passphrase: "]


class _Terminal:
    def isatty(self) -> bool:
        return True
