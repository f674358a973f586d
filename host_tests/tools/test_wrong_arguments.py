# SPDX-License-Identifier: MIT
"""A wrong port, a missing variable or a wrong number ends with one line that says what to do."""

import errno
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from host_tests.house.source import ROOT
from tools import serial_port
from tools.flash import esptool
from tools.flash.__main__ import main as flash


@pytest.mark.parametrize(
    ("port", "told"),
    [
        ("", "no port given"),
        ("/dev/no-such-port", "no such port"),
        (os.devnull, "is not a serial port"),
    ],
)
def test_a_wrong_port(port: str, told: str) -> None:
    assert told in serial_port.why(port)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError(errno.EACCES, "denied"), "permission denied"),
        (OSError(errno.EAGAIN, "locked"), "in use"),
        (OSError("could not open port 'COM3': PermissionError(13, 'Access is denied.', None, 5)"), "other program"),
        (OSError("could not open port 'COM3': FileNotFoundError(2, '', None, 2)"), "no such port"),
    ],
)
def test_the_reason_of_the_system(error: OSError, told: str) -> None:
    assert told in serial_port.why("COM3", error)


def test_a_port_that_is_free_again() -> None:
    ours, theirs = pty.openpty()
    try:
        assert "run the command again" in serial_port.why(os.ttyname(theirs))
    finally:
        os.close(ours)
        os.close(theirs)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        (["provision"], "PORT is missing"),
        (["hwtest"], "PORT is missing"),
        (["journal"], "IMAGE is missing"),
        (["emulate", "QEMU=qemu"], "MICROPYTHON_IMAGE is missing"),
        (["support", "PORT=COM3", "KEY=public.pem"], "OUT is missing"),
        (["hand-in", "BUNDLE=a.ksb", "HOST=host"], "BY is missing"),
        (["fuzz", "SECONDS=1m"], "SECONDS must be a whole number"),
        (["cuts", "SEED=-1"], "SEED must be a whole number"),
    ],
)
def test_make_names_what_is_missing_or_wrong(target: list[str], told: str) -> None:
    environment = {"PATH": os.environ["PATH"]}
    run = subprocess.run(["make", "-n", *target], cwd=ROOT, capture_output=True, text=True, timeout=30, env=environment)
    assert run.returncode and told in run.stderr and len(run.stderr.splitlines()) == 1


def test_an_image_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert flash(["kassa_s3", "COM3", str(tmp_path / "image.bin")]) == 2
    assert "cannot be read: No such file" in capsys.readouterr().out


def test_esptool_is_quoted_with_its_own_reason() -> None:
    with pytest.raises(esptool.EsptoolError, match="^Could not open /dev/no-such-port"):
        esptool.run(["--port", "/dev/no-such-port", "flash-id"])


def test_pulling_a_bundle_needs_no_package_of_the_host() -> None:
    source = "import sys, tools.support.__main__; print([n for n in ('sqlalchemy', 'tools.host.folder_lock') if n in sys.modules])"
    run = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert run.stdout == "[]\n"
