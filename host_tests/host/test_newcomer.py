# SPDX-License-Identifier: MIT
"""What somebody does wrong on the first day is told in one line, which says what to do."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from host_tests.harness.host.real_host import give_passphrases, run
from host_tests.harness.host.terminal import Terminal
from tools.host.errors import SetupError
from tools.host.keys import sealed_file
from tools.host.outside import gateway
from tools.host.store.ledger import Ledger
from tools.sim.host import Host

pytestmark = pytest.mark.on_sqlite("the folder of a host")


def one_line(text: str) -> str:
    assert "Traceback" not in text and text.count("\n") == 1, text
    return text


@pytest.mark.parametrize("command", [("merchants", "list"), ("terminals", "list"), ("audit",)])
def test_a_command_that_finds_no_database_says_so_and_makes_none(tmp_path: Path, command: tuple[str, ...]) -> None:
    run("init", tmp_path / "host")
    (tmp_path / "host" / "host.db").unlink()
    said = run(command[0], "--home", tmp_path / "host", *command[1:], status=1).output
    assert "has no database (host.db): restore a backup" in one_line(said)
    assert not (tmp_path / "host" / "host.db").exists()


def test_files_that_cannot_be_written_do_not_undo_a_settlement(host: Host, till: Terminal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    wrong = ("settle", "--home", host.home, "--day", "2026-11-23", "--out", tmp_path / "file" / "out")
    assert "settle again once they can" in one_line(run(*wrong, status=1).output)


def raises(_ledger: object, _now: object) -> object:
    raise ValueError("password 1234")


def returns_one(_ledger: object, _now: object) -> object:
    return object()


@pytest.mark.parametrize("named", ["os:getcwd", f"{__name__}:raises", f"{__name__}:returns_one"])
def test_a_gateway_that_is_none_is_named_without_what_it_says(tmp_path: Path, named: str) -> None:
    (tmp_path / "kassa-host.toml").write_text(f'[outside]\ngateway = "{named}"\n')
    ledger = Ledger(tmp_path / "host.db")
    with pytest.raises(SetupError, match="does not return an issuer and a wallet") as told:
        gateway.find(tmp_path, ledger, datetime.datetime.now)
    assert named in str(told.value) and "1234" not in str(told.value)
    ledger.close()


def test_whoever_clears_a_terminal_is_named_as_in_every_command(host: Host, till: Terminal) -> None:
    said = run("clear", "--home", host.home, "--terminal", "KASSA001", "--by", "Ms Li", status=1).output
    assert "is not in quarantine and has no missing records" in one_line(said)


def test_a_terminal_is_not_registered_with_a_key_block_that_nobody_gets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It could not be added again, and its block could not be made any more."""
    monkeypatch.setattr(sealed_file, "_COST", 1 << 10)
    give_passphrases(tmp_path, monkeypatch.setenv)
    home = tmp_path / "host"
    run("keys", "--home", home, "init")
    run("keys", "--home", home, "add-bdk", "31415926", "--new")
    run("keys", "--home", home, "add-kbpk", "acquirer", "--components", "2", words=f"{'0f' * 16}\ny\n{'f0' * 16}\ny\n")
    Ledger(home / "host.db").close()
    add = ("terminals", "--home", home, "add", "KASSA001", "898000000000001", "--kbpk")
    assert "no key block protection key 'acquire'" in one_line(run(*add, "acquire", status=1).output)
    assert "D0" in run(*add, "acquirer").output
