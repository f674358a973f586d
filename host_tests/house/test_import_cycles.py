# SPDX-License-Identifier: MIT
"""No file of the project needs itself, by whatever way round: imports for type checkers and inside functions count too."""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tests.house.source import ROOT, every_import, files

TREES = {
    "firmware": ROOT / "firmware", "boards/unix": ROOT / "boards/unix", "tools": ROOT, "host_tests": ROOT,
}  # fmt: skip


def graph(tree: str) -> dict[str, set[str]]:
    """Module -> the modules of the same tree that it imports."""
    base = TREES[tree]
    known = {".".join(path.relative_to(base).with_suffix("").parts): path for path in files(tree)}
    return {module: set(_needed(path, module, known)) - {module} for module, path in known.items()}


def _needed(path: Path, module: str, known: dict[str, Path]) -> list[str]:
    found = []
    for each in every_import(path):
        whole = f"{each.module}.{each.what}" if each.what else each.module
        found += [candidate for candidate in (whole, each.module) if candidate in known][:1]
    return found


def circles(needs: dict[str, set[str]]) -> list[list[str]]:
    """Every set of modules that need one another, by Tarjan's algorithm."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        order[module] = low[module] = len(order)
        stack.append(module)
        for other in sorted(needs[module]):
            if other not in order:
                visit(other)
                low[module] = min(low[module], low[other])
            elif other in stack:
                low[module] = min(low[module], order[other])
        if low[module] == order[module]:
            group = stack[stack.index(module) :]
            del stack[stack.index(module) :]
            if len(group) > 1:
                found.append(sorted(group))

    for module in sorted(needs):
        if module not in order:
            visit(module)
    return found


@pytest.mark.parametrize("tree", TREES)
def test_no_circles(tree: str) -> None:
    needs = graph(tree)
    assert len(needs) > 5 and any(needs.values())
    assert circles(needs) == []


def test_the_control_a_circle_of_three_is_found() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_imports_for_type_checkers_count(tmp_path: Path) -> None:
    path = tmp_path / "one.py"
    path.write_text("if TYPE_CHECKING:\n    from two import Two\n\n\ndef late():\n    import three\n")
    assert [each.module for each in every_import(path)] == ["two", "three"]
