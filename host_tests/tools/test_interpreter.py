# SPDX-License-Identifier: MIT
"""An unsuitable interpreter: every command reports it in one line and exits before it starts anything."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tools.world import interpreter
from tools.world.power import ROOT

# Every command that runs MicroPython, with valid arguments.
COMMANDS = {
    "tools.panel": ["--home", "{}/home"],
    "tools.demo": ["{}/out"],
    "tools.demo.day": [],
    "tools.bench": ["{}/bench.json"],
    "tools.bench.heap": [],
    "tools.bench.leaks": [],
    "tools.scenes": ["{}/album"],
    "tools.world.link": ["--home", "{}/home"],
    "host_tests.cuts": ["2", "1"],
    "host_tests.fuzz": ["1", "1"],
    "host_tests.monkey": ["1", "1"],
    "host_tests.harness.crypto.many": ["4", "1"],
    "host_tests.uncertainty": [],
    "pytest": ["-q", "-p", "no:cacheprovider", "host_tests/vault/test_journal_rot.py"],
}
WITHOUT = {
    "tools.journal",
    "tools.hardware",
    "tools.image",
    "tools.flash",
    "tools.provision",
    "tools.emulator",
    "tools.support",
    "tools.hwtest",
    "tools.fonts.build",
    "tools.fonts.gbk",
    "tools.guide",
}  # commands of the Makefile that do not run MicroPython


def run(module: str, folder: Path, micropython: str) -> subprocess.CompletedProcess[str]:
    arguments = [argument.format(folder) for argument in COMMANDS[module]]
    environment = {**os.environ, "MICROPYTHON": micropython}
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, env=environment,
                          capture_output=True, text=True, timeout=60)  # fmt: skip


def impostor(folder: Path, printed: str) -> str:
    """An executable that always prints `printed`."""
    command = folder / "micropython"
    command.write_text(f"#!/bin/sh\necho {shlex.quote(printed)}\n")
    command.chmod(0o755)
    return str(command)


def test_every_command_of_the_makefile_is_known() -> None:
    named = set(re.findall(r"\$\(PY\) -m (\S+)", (ROOT / "Makefile").read_text()))
    assert len(named) >= 9 and named <= set(COMMANDS) | WITHOUT


@pytest.mark.parametrize("module", COMMANDS)
def test_without_an_interpreter_a_command_reports_it_and_exits(module: str, tmp_path: Path) -> None:
    done = run(module, tmp_path, "/nowhere")
    output = done.stdout + done.stderr
    assert done.returncode != 0
    assert "no MicroPython at /nowhere: run `make setup`, or set MICROPYTHON" in output
    assert "Traceback" not in output and "INTERNALERROR" not in output
    assert module == "pytest" or len(output.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_demo_that_cannot_start_keeps_the_previous_output(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "summary.json").write_text("{}")
    assert run("tools.demo", tmp_path, "/nowhere").returncode != 0
    assert (tmp_path / "out" / "summary.json").exists()


@pytest.mark.parametrize(
    ("printed", "wrong"),
    [
        ("kassa micropython 1 25 1", "is MicroPython 1.25"),
        ("kassa micropython 1 26 0", "was built without tls"),
        ("kassa cpython 3 13 1", "is no MicroPython"),
        ("Hello", "does not run"),
    ],
)
def test_an_interpreter_that_is_too_old_or_lacks_something_is_refused(tmp_path: Path, printed: str, wrong: str) -> None:
    command = impostor(tmp_path, printed)
    assert interpreter.defect_of(command) == f"{command} {wrong}"


def test_a_file_that_is_no_program_or_no_micropython_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a program")
    assert interpreter.defect_of(str(tmp_path / "text")) == f"{tmp_path}/text does not run"
    assert interpreter.defect_of(str(tmp_path)) == f"no MicroPython at {tmp_path}"
    assert interpreter.defect_of(sys.executable) == f"{sys.executable} is no MicroPython"


def test_the_installed_interpreters_are_accepted() -> None:
    named = (interpreter.micropython(), interpreter.micropython32())
    for found in named:
        if found and Path(found).exists():
            assert interpreter.defect_of(found) is None
