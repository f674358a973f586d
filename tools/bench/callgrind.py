# SPDX-License-Identifier: MIT
"""Instructions of a terminal that runs in its world: the interpreter under valgrind's callgrind, read at any moment.

While no call of World waits, the terminal waits too, so that a reading falls between two of its steps.
"""

import re
import subprocess
from pathlib import Path

from tools.bench import instructions

_PATIENCE_S = 60


class Callgrind:
    """A command that runs the 32-bit interpreter under callgrind. `folder` keeps it and its counts."""

    def __init__(self, folder: Path) -> None:
        self.command = folder / "micropython"
        self._counts = folder / "counts"
        self._folder = folder
        options = f"--trace-children=yes --tool=callgrind --callgrind-out-file={self._counts}"
        self.command.write_text(f'#!/bin/sh\nexec valgrind {options} {instructions.decodable()} "$@"\n')
        self.command.chmod(0o755)

    def read(self, pid: int | None = None) -> int:
        """Instructions since the last reading: of the process `pid`, or without it of all that have ended."""
        if pid is not None:
            subprocess.run(["callgrind_control", "-d", str(pid)], check=True, capture_output=True, timeout=_PATIENCE_S)
        total = 0
        for file in self._folder.glob("counts*"):
            total += sum(int(count) for count in re.findall(r"totals: (\d+)", file.read_text()))
            file.unlink()
        return total
