# SPDX-License-Identifier: MIT
"""Memory is saved in one place: the table of overlay.py names real modules, and nothing else drops modules."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from host_tests.house.source import FIRMWARE, Import, files, imports, module_of, modules, name
from kassa import overlay

OVERLAY = FIRMWARE / "kassa/overlay.py"
KASSA = {module_of(path).removeprefix("kassa."): path for path in files("firmware/kassa") if path.name != "__init__.py"}
ALWAYS = " ".join(overlay._ALWAYS)
PHASES = {"always": "", **{f"cashier: {key}": listed for key, listed in overlay._PHASES.items()}} | {
    f"connection: {key}": listed for key, listed in overlay._CONNECTION.items()
}
ANYWHERE = re.compile(r"kassa\.[a-z_]+(\.[a-z_]+)*")


def expanded(listed: str) -> set[str]:
    """The modules that a list keeps."""
    gone = {f"kassa.{module}" for module in KASSA}
    overlay._keep(gone, listed)
    return {module for module in KASSA if f"kassa.{module}" not in gone}


def at_top(path: Path) -> list[Import]:
    """What a file imports as soon as it is loaded."""
    inside = {
        node.lineno
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    return [found for found in imports(path) if found.line not in inside and found.module.startswith("kassa")]


def imported(tree: ast.AST) -> set[str]:
    """The names that imports bind anywhere in a file."""
    return {
        (alias.asname or alias.name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


@pytest.mark.parametrize("phase", PHASES)
def test_every_name_in_the_table_exists(phase: str) -> None:
    for word in f"{ALWAYS} {PHASES[phase]}".split():
        path = FIRMWARE / word.rstrip(".").replace(".", "/")
        assert path.is_dir() or not word.endswith(".") and path.with_suffix(".py").is_file(), word


@pytest.mark.parametrize("phase", PHASES)
def test_packages_of_what_stays_stay(phase: str) -> None:
    words = f"{ALWAYS} {PHASES[phase]}".split()
    listed = {word.rstrip(".") for word in words} | {"kassa"}
    assert [word for word in words if word.rstrip(".").rpartition(".")[0] not in listed] == []


def test_a_room_in_the_table_names_no_other_room_with_it() -> None:
    rooms = {word for listed in PHASES.values() for word in listed.split() if word.endswith(".")}
    assert rooms
    for room in rooms:
        kept = {f"kassa.{module}" for module in expanded(room)}
        assert kept, room
        assert {module for module in kept if not module.startswith(room)} == set(), room


@pytest.mark.parametrize("phase", PHASES)
def test_what_stays_imports_at_its_top_only_what_stays(phase: str) -> None:
    stays = expanded(ALWAYS) | expanded(PHASES[phase])
    missing = [
        f"{name(KASSA[module])}:{found.line} imports {modules(found)}"
        for module in sorted(stays)
        for found in at_top(KASSA[module])
        if modules(found).removeprefix("kassa.") not in stays and modules(found) != "kassa"
    ]
    assert missing == []


def test_the_drivers_that_a_board_holds_stay() -> None:
    held = {modules(found).removeprefix("kassa.") for path in files("boards") for found in at_top(path)}
    assert held and {module for module in held if module.startswith("drivers.")} <= expanded(ALWAYS)


def test_no_other_file_of_the_firmware_touches_modules_or_names_them_as_strings() -> None:
    for path in files("firmware"):
        if path == OVERLAY:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {
            node.body[0].value
            for node in ast.walk(tree)
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            where = f"{name(path)}:{getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Attribute):
                assert not (node.attr == "modules" and isinstance(node.value, ast.Name)), f"{where} touches sys.modules"
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
                assert not ANYWHERE.fullmatch(node.value), f"{where} names a module as a string"
                assert node.value not in KASSA or "." not in node.value, f"{where} names a module as a string"
            if isinstance(node, ast.Delete):
                gone = {target.id for target in node.targets if isinstance(target, ast.Name)}
                assert not gone & imported(tree), f"{where} deletes what was imported"


def test_only_a_few_places_change_the_phase() -> None:
    places = {
        path.relative_to(FIRMWARE / "kassa").as_posix()
        for path in KASSA.values()
        if re.search(r"\boverlay\.(enter|connection)\(", path.read_text(encoding="utf-8"))
    }
    assert places == {
        "terminal.py", "flows/idle/main_loop.py", "flows/steps/read_card.py", "flows/steps/present_card.py", "card/tap.py",
        "flows/batch/settle.py", "flows/steps/paper.py", "uplink/connection_task.py",
    }  # fmt: skip
