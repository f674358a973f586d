# SPDX-License-Identifier: MIT
"""Builds the Unix board and the firmware into one romfs image, compiled, as it would sit in flash."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.world.power import BOARD, FIRMWARE

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "start.py")


def build(out: Path, firmware: Path = FIRMWARE) -> Path:
    """Write the image to `out` and return it. `firmware` is the tree with main.py; ours is laid beneath another one.

    Raises CalledProcessError with mpremote's words when a file does not compile.
    """
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder) / "rom"
        for tree in (FIRMWARE, firmware, BOARD):
            shutil.copytree(tree, stage, ignore=_LEFT_OUT, dirs_exist_ok=True)
        out.parent.mkdir(parents=True, exist_ok=True)
        # Built from inside, so that tracebacks, and with them the image, do not name the stage.
        command = [Path(sys.executable).parent / "mpremote", "romfs", "-o", out.resolve(), "build", "."]
        subprocess.run(command, cwd=stage, check=True, capture_output=True)
    return out


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
