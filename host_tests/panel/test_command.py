# SPDX-License-Identifier: MIT
"""`python -m tools.panel`, as called by `make run`: one line of output, a clean exit, no lost data, no process left."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

from tools.host.folder_lock import claim
from tools.world.power import ROOT


class _Command:
    def __init__(self, home: Path, *more: str) -> None:
        command = [sys.executable, "-m", "tools.panel", "--home", str(home), *more]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert self._process.stdout is not None
        self.line = self._process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.line)
        assert found, self.line + self._process.stdout.read()
        self.port = int(found[1])

    def end(self, number: int, code: int = 0) -> str:
        self._process.send_signal(number)
        rest, _ = self._process.communicate(timeout=30)
        assert self._process.returncode == code, rest
        return rest


def _left_behind(home: Path) -> list[str]:
    """The ids of the processes whose working directory is in `home`."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if Path(os.readlink(process)).is_relative_to(home):
                found.append(process.parent.name)
        except OSError:
            continue
    return found


def test_a_restart_keeps_the_terminal_unless_fresh(tmp_path: Path) -> None:
    home = tmp_path / "run"
    first = _Command(home, "--port", "0")
    second = _Command(tmp_path / "other", "--port", str(first.port))  # in use: takes the next free port
    assert second.port != first.port
    second.end(signal.SIGTERM)
    assert "simulator" in first.line and "test cards" in first.line
    code = re.search(r"90 code (\d{6})", first.line)
    assert code
    assert "Traceback" not in first.end(signal.SIGINT)
    assert _left_behind(tmp_path) == []
    secret = (home / "terminal" / "efuse.bin").read_bytes()
    again = _Command(home, "--port", "0")
    assert code[1] in again.line
    again.end(signal.SIGINT)
    assert (home / "terminal" / "efuse.bin").read_bytes() == secret
    fresh = _Command(home, "--port", "0", "--fresh")
    fresh.end(signal.SIGINT)
    assert (home / "terminal" / "efuse.bin").read_bytes() != secret
    assert _left_behind(tmp_path) == []


def test_fresh_does_not_remove_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("dear")
    done = subprocess.run([sys.executable, "-m", "tools.panel", "--home", str(tmp_path), "--fresh"], cwd=ROOT,
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode != 0
    assert "not removed" in done.stderr
    assert (tmp_path / "letters").exists()


def _refused(*command: str) -> str:
    """The output of a command that must fail at once, without a traceback."""
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    printed = done.stdout + done.stderr
    assert done.returncode != 0 and "Traceback" not in printed, printed
    return printed


def test_a_folder_is_used_by_one_process_at_a_time(tmp_path: Path) -> None:
    """Two processes would be two hosts on one database and two terminals on one flash image."""
    home = tmp_path / "run"
    first = _Command(home, "--port", "0")
    secret = (home / "terminal" / "efuse.bin").read_bytes()
    for more in ([], ["--fresh"]):
        printed = _refused("tools.panel", "--home", str(home), "--port", "0", *more)
        assert f"another process works in {home}" in printed and len(printed.splitlines()) == 1
    assert f"works in {home}/terminal" in _refused("tools.world.link", "--home", str(home / "terminal"))
    assert f"works in {home}/host" in _refused("tools.sim", "--home", str(home / "host"))
    assert f"works in {home}" in _refused("tools.demo", str(home))
    own = _Command(tmp_path / "own", "--port", "0", "--fresh")  # another folder is allowed
    own.end(signal.SIGTERM)
    assert (home / "terminal" / "efuse.bin").read_bytes() == secret
    first.end(signal.SIGKILL, -signal.SIGKILL)
    _Command(home, "--port", "0").end(signal.SIGINT)  # a lock ends with its process
    assert (home / "terminal" / "efuse.bin").read_bytes() == secret


def test_fresh_is_refused_while_a_subfolder_is_in_use(tmp_path: Path) -> None:
    home = tmp_path / "run"
    _Command(home, "--port", "0").end(signal.SIGINT)
    with claim(home / "host"):
        assert f"works in {home}/host" in _refused("tools.panel", "--home", str(home), "--port", "0", "--fresh")
    assert (home / "host" / "host.db").exists()
