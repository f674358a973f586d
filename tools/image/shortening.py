# SPDX-License-Identifier: MIT
"""The sources of modules that are loaded together, with fewer and shorter names. It takes seconds, so it is kept."""

import ast
import functools
import hashlib
import json
import os
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from tools.image.public_names import public_names
from tools.image.shared_numbers import SharedNumbers
from tools.image.short_names import ShortNames
from tools.image.syntax import nodes, parsed

_ROOT = Path(__file__).resolve().parents[2]
KEPT = _ROOT / "build" / "bytecode"  # what was made once
_OURS = _ROOT / "firmware", _ROOT / "boards"
_GUESTS = _ROOT / "tools" / "hwtest" / "device", _ROOT / "tools" / "provision" / "inside"  # sent to a chip by tools
_TEXTS = (
    "firmware/main.py",
    "boards/official/boot.py",
    "boards/emulated/boot.py",
)  # not compiled beside an official image
_Files = list[tuple[Path, str]]


def shortened(texts: dict[Path, str], shims: Collection[str] = ()) -> dict[Path, str]:
    """`texts` with numbers in place of their names (shared_numbers.py) and with short names (short_names.py).

    `shims`: modules that stand for a chip's own, whose names a chip has in ROM: those that only they say are short too. A
    package of nothing but a docstring is an empty text. What was shortened once is in KEPT.
    """
    firmware, boards = (list(_read([folder])) for folder in _OURS)
    guests = [*_read(_GUESTS), *_read(map(_ROOT.joinpath, _TEXTS))]
    made = KEPT / f"{_digest([*texts.items(), *firmware, *boards, *guests], shims)}.json"
    if not made.exists():
        new = list(_shorten(texts, firmware, boards, [text for _, text in guests], shims))
        parsed.cache_clear()
        KEPT.mkdir(parents=True, exist_ok=True)
        own = made.with_name(f"{made.name}.{os.getpid()}")  # others may do the same now
        own.write_text(json.dumps(new), encoding="utf-8")
        own.replace(made)
    return dict(zip(texts, json.loads(made.read_text(encoding="utf-8")), strict=True))


def module_name(path: Path) -> str:
    """The full name of a module of the firmware; "" for any other file."""
    inside = path.with_suffix("").parts
    if "kassa" not in inside:
        return ""
    last = len(inside) - 1 - inside[::-1].index("kassa")
    return ".".join(inside[last:]).removesuffix(".__init__")


def _digest(files: _Files, shims: Collection[str]) -> str:
    """What the result depends on: all texts, their places, how it is done here, and Python's own names."""
    how = [(path, text) for path, text in _read([Path(__file__).parent])]
    said = [(module_name(path) or path.name, text) for path, text in [*files, *how]]
    return hashlib.sha256(json.dumps([sys.version, sorted(shims), said]).encode()).hexdigest()


def _read(places: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for place in places:
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            yield path, path.read_text(encoding="utf-8")


def _shorten(
    texts: dict[Path, str], firmware: _Files, boards: _Files, guests: list[str], shims: Collection[str]
) -> Iterator[str]:
    modules = {module_name(path): text for path, text in [*firmware, *texts.items()] if module_name(path)}
    numbers = SharedNumbers(modules | _apart(texts, modules), guests)
    apply = functools.cache(numbers.apply)
    ours = [apply(text, module_name(path)) for path, text in [*firmware, *boards]]
    folded = {path: apply(text, module_name(path) or path.stem) for path, text in texts.items()}
    others = [text for text in folded.values() if text not in ours]
    loaded = {module_name(path) or str(path): text for (path, _), text in zip(firmware, ours, strict=False)}
    loaded |= {module_name(path) or str(path): text for path, text in folded.items()}
    files = {name: parsed(text) for name, text in loaded.items()}
    public = public_names(files, map(parsed, [*guests, *(text for _, text in boards)]))
    shim = {path.stem: text for path, text in folded.items() if not module_name(path) and path.stem in shims}
    rest = [text for text in folded.values() if text not in shim.values()]
    last = public_names({name: parsed(text) for name, text in shim.items()}, map(parsed, [*guests, *rest]))
    names = ShortNames([*ours, *others], guests, public, last)  # the firmware's are the same on every board
    for path, text in folded.items():
        nothing = path.name == "__init__.py" and not parsed(text).body[1:]
        yield "" if nothing else names.apply(text)


def _apart(texts: dict[Path, str], firmware: dict[str, str]) -> dict[str, str]:
    """The board's modules that the firmware does not import, by name. Those that it imports differ from board to board."""
    wanted = {
        alias.name if isinstance(node, ast.Import) else node.module
        for text in firmware.values()
        for node in nodes(parsed(text))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return {path.stem: text for path, text in texts.items() if not module_name(path) and path.stem not in wanted}
