# SPDX-License-Identifier: MIT
"""Builds a romfs image of the Unix board and the firmware, compiled, as it would be stored in flash."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.image import bytecode
from tools.world.power import AES_ESP32, BOARD, FIRMWARE

_LEFT_OUT = shutil.ignore_patterns("__pycache__", "start.py", AES_ESP32.name)


def stage(folder: Path, firmware: Path = FIRMWARE) -> None:
    """Put what goes into the image into `folder`, compiled. `firmware`: see `build`. Raises CalledProcessError."""
    for tree in (FIRMWARE, firmware, BOARD):
        shutil.copytree(tree, folder, ignore=_LEFT_OUT, dirs_exist_ok=True)
    shims = {path.stem for path in BOARD.glob("*.py")}
    bytecode.replace_all(sorted(folder.rglob("*.py")), shims=shims)


def build(out: Path, firmware: Path = FIRMWARE) -> Path:
    """Write the image to `out` and return it. `firmware` is the tree with main.py; it overlays the project's firmware.

    Raises CalledProcessError if a file does not compile.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "rom"
        stage(folder, firmware)
        out.parent.mkdir(parents=True, exist_ok=True)
        command = [bytecode.BIN / "mpremote", "romfs", "-o", out.resolve(), "build", "."]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return out


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
