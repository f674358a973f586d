# SPDX-License-Identifier: MIT
"""Counts a script's instructions on 32-bit MicroPython with valgrind's callgrind; repeatable within some tens."""

import functools
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tools.bench import micropython32
from tools.bench.inside import run_environment

_HEAP = "4M"  # large enough that no garbage collection is counted
_PATIENCE_S = 300
# Padding instructions (two lengths) of newer i386 libraries. Valgrind cannot decode them, so they are patched to NOPs.
_PADDING = (b"\x2e\x8d\xb4\x26", b"\x2e\x8d\x74\x26")


def available() -> bool:
    """Whether instructions can be counted here. If not, prints the reason on standard error."""
    if micropython32.find() is None:
        return False
    if shutil.which("valgrind") is None:
        print("no instruction counts: valgrind is not installed", file=sys.stderr)
        return False
    return True


@functools.cache
def decodable() -> Path:
    """A command that runs a patched copy of the interpreter, fit for valgrind. Raises micropython32.Unavailable."""
    original = micropython32.path()
    copy = original.parent / "decodable"
    command = original.parent / "decodable32"
    if not command.exists() or command.stat().st_mtime < original.stat().st_mtime:
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(original.parent / "root" / "usr", copy)
        for file in copy.rglob("*"):
            if file.is_file() and not file.is_symlink():
                _patch(file)
        command.write_text(micropython32.script(copy))
        command.chmod(0o755)
    return command


def _patch(file: Path) -> None:
    data = file.read_bytes()
    if data[:4] == b"\x7fELF":
        for padding in _PADDING:
            data = data.replace(padding, b"\x90" + padding[1:])
        file.write_bytes(data)


def count(script: Path, arguments: Sequence[str] = ()) -> int:
    """Instructions of one run of `script`, including the interpreter's start. Raises CalledProcessError."""
    with tempfile.NamedTemporaryFile("r", suffix=".log") as log:
        subprocess.run(
            ["valgrind", "--trace-children=yes", "--tool=callgrind", "--callgrind-out-file=/dev/null",
             f"--log-file={log.name}", decodable(), "-X", f"heapsize={_HEAP}", script, *arguments],
            env=run_environment(), check=True, capture_output=True, timeout=_PATIENCE_S,
        )  # fmt: skip
        return max(int(number) for number in re.findall(r"Collected : (\d+)", log.read()))


def per_turn(script: Path, work: str, turns: int, *more: str) -> float:
    """Instructions of one turn of `work`. `script work N ...` runs N turns; comparing two runs cancels the start."""
    return (count(script, (work, str(2 * turns), *more)) - count(script, (work, str(turns), *more))) / turns
