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


class _Executor:
    """The functions that one manifest may call."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.found = Frozen()

    def _resolve(self, given: str) -> Path | None:
        """The path of a file or folder here; None if it lies in MicroPython's sources."""
        for name in _VARIABLE.findall(given):
            if name in _FOREIGN:
                self.found.foreign.append(given)
                return None
            if name != "BOARD_DIR":
                raise ManifestError(f"{given}: no variable $({name})")
        folder = self._path.parent
        return (folder / given.replace("$(BOARD_DIR)", str(folder))).resolve()

    def _add(self, base: Path, name: str) -> None:
        if not (base / name).is_file():
            raise ManifestError(f"{base / name}: no such file")
        if name in self.found.files:
            raise ManifestError(f"{name}: frozen twice")
        self.found.files[name] = base / name

    def include(self, manifest_path: str, **options: Any) -> None:
        where = self._resolve(manifest_path)
        if where is not None:
            more = run(where / "manifest.py" if where.is_dir() else where)
            for name, path in more.files.items():
                self._add(path.parents[len(Path(name).parts) - 1], name)
            self.found.foreign.extend(more.foreign)

    def module(self, module_path: str, base_path: str = ".", opt: int | None = None) -> None:
        base = self._resolve(base_path)
        if base is not None:
            self._add(base, module_path)

    def package(
        self, package_path: str, files: list[str] | None = None, base_path: str = ".", opt: int | None = None
    ) -> None:
        base = self._resolve(base_path)
        if base is not None:
            for name in files or _python_files(base / package_path):
                self._add(base, f"{package_path}/{name}")

    def freeze(self, path: str, script: str | list[str] | None = None, opt: int | None = None) -> None:
        base = self._resolve(path)
        if base is not None:
            for name in ([script] if isinstance(script, str) else script) or _python_files(base):
                self._add(base, name)


def _python_files(folder: Path) -> list[str]:
    found = [str(entry.relative_to(folder)) for entry in sorted(folder.rglob("*.py"))]
    if not found:
        raise ManifestError(f"{folder}: no Python files")
    return found


def run(path: Path) -> Frozen:
    """Execute a manifest. Raises ManifestError."""
    executor = _Executor(path)
    known: dict[str, Any] = {name: getattr(executor, name) for name in ("include", "module", "package", "freeze")}
    try:
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), {**known, "__builtins__": {}})
    except (NameError, TypeError, SyntaxError, ImportError, OSError) as error:
        raise ManifestError(f"{path.name}: {error}") from error
    return executor.found
