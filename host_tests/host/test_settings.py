# SPDX-License-Identifier: MIT
"""kassa-host.toml: what is wrong is named with line and key; the folder and everything in it is private."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tools.host import settings, settings_file
from tools.host.commands import init, run
from tools.host.errors import SetupError
from tools.host.running import permissions

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """Commands set it for their process, which is this one here."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[limits]\n\nframe_secnds = 3\n", "line 3: [limits] frame_secnds is unknown; did you mean frame_seconds?"),
        ("# first\n[limit]\n", "line 2: [limit] is unknown; did you mean limits?"),
        ("[page]\nport = 'http'\n", "line 2: [page] port: a whole number from 0 to 65535 is wanted, not 'http'"),
        ("[page]\nport = 70000\n", "line 2: [page] port: a whole number from 0 to 65535 is wanted, not 70000"),
        ("[page]\nport = true\n", "line 2: [page] port: a whole number from 0 to 65535 is wanted, not True"),
        ("[limits]\nconnections = 0\n", "line 2: [limits] connections: a whole number from 1 to 100000 is wanted"),
        ("[page]\naddress = 5\n", "line 2: [page] address: a text in quotation marks is wanted, not 5"),
        ("[keys]\ntest = 1\n", "line 2: [keys] test: true or false is wanted, not 1"),
        ("[keys]\npkcs12 = 'x'\n", "line 2: [keys] pkcs12 is unknown; did you mean pkcs11?"),
        ("[log]\nform = 'xml'\n", "line 2: [log] form: one of auto, json, human is wanted, not 'xml'"),
        ("[log]\nform = 'json'\n[page]\nform = 'json'\n", "line 4: [page] form is unknown"),
        ("limits = 4\n", "line 1: limits must be a section"),
        ("limits.bad_maks = 4\n", "line 1: [limits] bad_maks is unknown; did you mean bad_macs?"),
        ("[page]\nport = \n", "not TOML: Invalid value (at line 2"),
        ("[page]\nport = 1\nport = 2\n", "not TOML: Cannot overwrite a value (at line 3"),
    ],
)
def test_what_is_wrong_is_named_with_its_line_and_key(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "kassa-host.toml").write_text(text)
    with pytest.raises(SetupError) as refused:
        settings_file.load(tmp_path)
    assert says in str(refused.value) and str(tmp_path / "kassa-host.toml") in str(refused.value)


def test_what_is_set_holds_and_the_rest_has_its_default(tmp_path: Path) -> None:
    (tmp_path / "kassa-host.toml").write_text("[limits]\nbad_macs = 9\n[page]\nport = 8000\n")
    found = settings_file.load(tmp_path)
    assert (found.limits.bad_macs, found.page.port) == (9, 8000)
    assert found.limits.frame_seconds == settings.Limits().frame_seconds
    assert found.page.address == found.metrics.address == "127.0.0.1", "pages are on loopback until told otherwise"


def test_a_new_file_has_every_key_with_its_default(tmp_path: Path) -> None:
    text = settings_file.template()
    assert settings_file.parse(text) == settings.DEFAULTS
    chosen = settings_file.parse(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))
    assert chosen == settings.DEFAULTS
    assert all(f"# {key} = " in text for keys in settings.sections().values() for key in keys)


def test_the_manual_has_every_key_with_its_default() -> None:
    rows = (ROOT / "docs" / "host.md").read_text()
    for section, keys in settings.sections().items():
        for key, each in keys.items():
            default = f"`{json.dumps(each.default)}`"
            assert re.search(rf"^\| `\[?{section}\]? {key}` \| {re.escape(default)} \|", rows, re.MULTILINE), (
                f"{section} {key}"
            )


def test_init_makes_a_private_folder_and_run_would_take_it(tmp_path: Path) -> None:
    home = tmp_path / "shop" / "host"
    made = CliRunner().invoke(init.main, [str(home)])
    assert made.exit_code == 0 and f"run {home}" in made.output and "[outside] gateway" in made.output
    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "kassa-host.toml").stat().st_mode & 0o777 == 0o600
    permissions.check(home)
    again = CliRunner().invoke(init.main, [str(home)])
    assert again.exit_code == 1 and "is a host's folder already" in again.output


@pytest.mark.parametrize("name", [".", "host.db", "keys", "keys/one.key"])
def test_a_host_whose_files_are_open_to_others_does_not_start(tmp_path: Path, name: str) -> None:
    home = tmp_path / "host"
    CliRunner().invoke(init.main, [str(home)])
    (home / "keys").mkdir(mode=0o700)
    for path in (home / "host.db", home / "keys" / "one.key"):
        path.touch(mode=0o600)
    (home / name).chmod((home / name).stat().st_mode | 0o040)
    refused = CliRunner().invoke(run.main, [str(home)])
    assert refused.exit_code == 1 and f"chmod -R go= {home}" in refused.output
    assert str(home / name) in refused.output
    subprocess.run(["chmod", "-R", "go=", str(home)], check=True)
    permissions.check(home)


def test_a_wrong_folder_and_a_wrong_setting_are_refused_before_anything_is_made(tmp_path: Path) -> None:
    home = tmp_path / "host"
    home.mkdir(mode=0o700)
    refused = CliRunner().invoke(run.main, [str(home)])
    assert refused.exit_code == 1 and "make one with init" in refused.output
    (home / "kassa-host.toml").write_text("[pages]\n")
    (home / "kassa-host.toml").chmod(0o600)
    refused = CliRunner().invoke(run.main, [str(home)])
    assert refused.exit_code == 1 and "line 1: [pages] is unknown; did you mean page?" in refused.output
    assert [path.name for path in home.iterdir()] == ["kassa-host.toml"]


def test_a_database_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    home = tmp_path / "host"
    CliRunner().invoke(init.main, [str(home)])
    (home / "kassa-host.toml").write_text(
        '[database]\nurl = "mysql://books"\n[log]\nform = "json"\n[keys]\ntest = true\n'
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    refused = subprocess.run(
        [sys.executable, "-m", "tools.host", "run", str(home)],
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    assert refused.returncode == 1 and "mysql: the database is SQLite or PostgreSQL" in refused.stderr
