# SPDX-License-Identifier: MIT
"""Runs a board's manifest.py, for checking. A small executor of our own, not MicroPython's.

MicroPython's own is tools/manifestfile.py; no package on PyPI carries it. This one knows the functions that a board's
manifest needs, as documented (MicroPython manifest files: include, module, package, freeze), and refuses all others. What
lies in MicroPython's own folders is not looked up, only named.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_VARIABLE = re.compile(r"\$\(([A-Z_]+)\)")
_FOREIGN = ("MPY_DIR", "PORT_DIR", "MPY_LIB_DIR")  # folders of MicroPython's sources


class ManifestError(Exception):
    """The manifest names something that does not exist, or calls a function with arguments it does not take."""


@dataclass
class Frozen:
    """What a manifest freezes."""

    files: dict[str, Path] = field(default_factory=dict)  # by name on the device
    foreign: list[str] = field(default_factory=list)  # folders of MicroPython's sources, as written


def run(path: Path) -> Frozen:
    """Execute a manifest. Raises ManifestError."""
    found = Frozen()

    def resolve(given: str) -> Path | None:
        """The path of a file or folder here; None if it lies in MicroPython's sources."""
        for name in _VARIABLE.findall(given):
            if name in _FOREIGN:
                found.foreign.append(given)
                return None
            if name != "BOARD_DIR":
                raise ManifestError(f"{given}: no variable $({name})")
        return (path.parent / given.replace("$(BOARD_DIR)", str(path.parent))).resolve()

    def include(manifest: str, **options: Any) -> None:
        where = resolve(manifest)
        if where is not None:
            more = run(where / "manifest.py" if where.is_dir() else where)
            found.files.update(more.files)
            found.foreign.extend(more.foreign)

    def add(base: Path | None, name: str) -> None:
        if base is None:
            return
        if not (base / name).is_file():
            raise ManifestError(f"{base / name}: no such file")
        if name in found.files:
            raise ManifestError(f"{name}: frozen twice")
        found.files[name] = base / name

    def module(module_path: str, base_path: str = ".", opt: int | None = None) -> None:
        add(resolve(base_path), module_path)

    def package(
        package_path: str, files: list[str] | None = None, base_path: str = ".", opt: int | None = None
    ) -> None:
        base = resolve(base_path)
        if base is not None:
            inside = sorted((base / package_path).rglob("*.py"))
            for name in files or [str(entry.relative_to(base / package_path)) for entry in inside]:
                add(base, f"{package_path}/{name}")

    def freeze(where: str, script: str | list[str] | None = None, opt: int | None = None) -> None:
        base = resolve(where)
        if base is not None:
            names = [script] if isinstance(script, str) else script
            for name in names or [str(entry.relative_to(base)) for entry in sorted(base.rglob("*.py"))]:
                add(base, name)

    known = {"include": include, "module": module, "package": package, "freeze": freeze, "__builtins__": {}}
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), known)
    except (NameError, TypeError, SyntaxError, ImportError, OSError) as error:
        raise ManifestError(f"{path.name}: {error}") from error
    return found
