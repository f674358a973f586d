# SPDX-License-Identifier: MIT
"""The source files of the house and what each imports when it runs, read from their text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FIRMWARE = ROOT / "firmware"


def files(*folders: str) -> list[Path]:
    """Every Python file in these folders of the checkout."""
    return sorted(
        path for folder in folders for path in (ROOT / folder).rglob("*.py") if "__pycache__" not in path.parts
    )


def name(path: Path) -> str:
    """How a file is called in messages."""
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Import:
    """One imported module, and the name taken from it (empty for the whole module)."""

    module: str
    what: str
    line: int


def imports(path: Path) -> list[Import]:
    """What a file imports when it runs: imports for type checkers alone do not count."""
    return list(_imports(ast.parse(path.read_text(encoding="utf-8"))))


def every_import(path: Path) -> list[Import]:
    """What a file imports, for type checkers too."""
    return list(_imports(ast.parse(path.read_text(encoding="utf-8")), types=True))


def _imports(node: ast.AST, types: bool = False) -> Iterator[Import]:
    if not types and isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
        for child in node.orelse:
            yield from _imports(child, types)
        return
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(alias.name, "", node.lineno)
    elif isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield Import("." * node.level + (node.module or ""), alias.name, node.lineno)
    for child in ast.iter_child_nodes(node):
        yield from _imports(child, types)


def modules(found: Import) -> str:
    """The module of the house that an import reaches: `from kassa.vault import layout` reaches kassa.vault.journal.layout."""
    whole = f"{found.module}.{found.what}" if found.what else found.module
    path = FIRMWARE / whole.replace(".", "/")
    return whole if path.with_suffix(".py").exists() or path.is_dir() else found.module


def room(module: str) -> str:
    """The room of a module of the house: `kassa.vault.journal.layout` -> `vault`; a file of the ground floor -> `ground`."""
    parts = module.split(".")
    if len(parts) > 1 and (FIRMWARE / "kassa" / parts[1]).is_dir():
        return parts[1]
    return parts[-1] if parts[-1] in ("terminal", "startup", "safe_mode") else "ground"


def module_of(path: Path) -> str:
    """The dotted name of a firmware file."""
    return ".".join(path.relative_to(FIRMWARE).with_suffix("").parts).removesuffix(".__init__")
