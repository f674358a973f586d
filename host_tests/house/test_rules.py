# SPDX-License-Identifier: MIT
"""House rules that every file keeps: licence, docstring, length, and what firmware may not say or use."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from host_tests.house.source import FIRMWARE, ROOT, files, imports, module_of, name
from host_tests.house.test_floors import core
from tools import check

EVERYTHING = files("firmware", "boards", "host_tests", "tools")
FLASHED = files("firmware")
CEILING = 350
SIMULATED = re.compile(r"simulat|emulat|\bmock|\bfake|\bvirtual|sys\.platform", re.IGNORECASE)
NEW_SYNTAX = (ast.Match, ast.AsyncFor)


def ids(path: Path) -> str:
    return name(path)


def test_every_file_opens_with_licence_and_purpose() -> None:
    bad = []
    for path in EVERYTHING:
        text = path.read_text(encoding="utf-8")
        if not text.startswith("# SPDX-License-Identifier: MIT\n"):
            bad.append(f"{name(path)}: no licence line")
        if path.name != "manifest.py" and not ast.get_docstring(ast.parse(text)):  # a manifest is read, not imported
            bad.append(f"{name(path)}: no module docstring")
    assert not bad


def test_no_file_is_too_long() -> None:
    sizes = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in EVERYTHING}
    assert not {path: size for path, size in sizes.items() if size > CEILING}


@pytest.mark.parametrize("path", FLASHED, ids=ids)
def test_firmware_knows_no_simulator(path: Path) -> None:
    found = SIMULATED.search(path.read_text(encoding="utf-8"))
    assert found is None, f"{name(path)} speaks of {found.group() if found else ''}"


@pytest.mark.parametrize("path", FLASHED, ids=ids)
def test_firmware_stays_within_micropython(path: Path) -> None:
    """No syntax and no module that an interpreter of 2025 on a chip lacks; no assert as a check; no bare except."""
    lacking = {"enum", "dataclasses", "functools", "contextlib", "hmac", "typing", "abc", "pathlib", "itertools"}
    assert not lacking & {found.module.split(".")[0] for found in imports(path)}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        line = f"{name(path)}:{getattr(node, 'lineno', 0)}"
        assert not isinstance(node, NEW_SYNTAX), line
        assert not isinstance(node, ast.Assert), f"{line} asserts"
        assert not (isinstance(node, ast.ExceptHandler) and node.type is None), f"{line} catches everything"
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert not node.args.posonlyargs, line
        if isinstance(node, ast.Attribute):
            assert node.attr not in ("removeprefix", "removesuffix"), line


@pytest.mark.parametrize("path", core(), ids=ids)
def test_no_floats_near_money(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.Constant) and isinstance(node.value, float)), f"{name(path)}:{node.lineno}"
        assert not isinstance(node, ast.Div), f"{name(path)} divides into a float"


def test_the_functional_core_imports_under_cpython() -> None:
    """All of it, with two small shims, in a process of its own; no event loop comes with it."""
    wanted = [module_of(path) for path in core()]
    script = "import sys, importlib\n[importlib.import_module(name) for name in sys.argv[1:]]\n"
    script += "print(len(sys.argv) - 1, 'asyncio' in sys.modules, 'time' in vars(sys.modules['kassa.vault.journal.journal']))\n"
    folders = [str(FIRMWARE), str(ROOT / "host_tests/harness/shims")]
    run = subprocess.run(
        [sys.executable, "-c", f"import sys\nsys.path[:0] = {folders!r}\n{script}", *wanted],
        capture_output=True, text=True, timeout=60, cwd=ROOT,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == [str(len(wanted)), "False", "False"] and len(wanted) > 25


def test_every_firmware_file_compiles_for_the_device() -> None:
    errors, sizes = check.compile_all()
    assert check.FIRMWARE == FLASHED and errors == [] and check.grown(sizes) == []


def test_a_room_that_grows_by_more_than_five_percent_and_a_new_room_are_named(tmp_path: Path) -> None:
    record = tmp_path / "sizes.json"
    record.write_text('{"card": 1000, "desk": 1000}')
    assert check.grown({"card": 1050, "desk": 900}, record) == []
    found = check.grown({"card": 1051, "desk": 1000, "annex": 1}, record)
    assert [line.split(":")[0] for line in found] == ["card", "annex"]
