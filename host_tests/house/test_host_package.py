# SPDX-License-Identifier: MIT
"""The settlement host is a package of its own, and cannot approve a payment by itself."""

import ast
import subprocess
import sys
from pathlib import Path

from tools.fonts import asset
from tools.host.tables import coverage

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "tools" / "host").rglob("*.py"))


def test_the_host_imports_nothing_else_of_the_tools() -> None:
    assert len(FILES) > 30
    foreign = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imported(node)
        if name.split(".")[0] in ("tools", "host_tests", "kassa", "boards") and not name.startswith("tools.host")
    ]
    assert not foreign


def test_a_host_that_is_started_has_no_simulator_in_its_process() -> None:
    source = (
        "import sys, tools.host.app, tools.host.__main__; print([n for n in sys.modules if n.startswith('tools.')])"
    )
    run = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = ast.literal_eval(run.stdout)
    assert "tools.host.app" in loaded and all(name.startswith("tools.host") for name in loaded)


def test_the_host_knows_the_characters_that_the_font_has() -> None:
    assert coverage.shown() == asset.characters() | {" "}


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
