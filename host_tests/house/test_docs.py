# SPDX-License-Identifier: MIT
"""README.md and docs/architecture.md: every file and make target they name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from host_tests.house.source import FIRMWARE, ROOT, name

PAGES = (ROOT / "README.md", ROOT / "docs" / "architecture.md")
BASES = (ROOT, FIRMWARE / "kassa")  # a path starts at the checkout or at the package
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)#\s]+)")
_FILE = re.compile(r"(?<![\w/*.-])[\w*-][\w*./-]*\.(?:py|md|csv)\b")
_MAKE = re.compile(r"^make ([a-z0-9-]+)", re.MULTILINE)


def code(text: str) -> list[str]:
    """Everything in backticks: fenced blocks, Mermaid ones included, and spans."""
    return [block for _, block in _BLOCK.findall(text)] + _SPAN.findall(_BLOCK.sub("", text))


def paths(text: str) -> set[str]:
    """The Python, Markdown and CSV files named in backticks; `*` stands for any part of a name."""
    return {found for part in code(text) for found in _FILE.findall(part)}


def exists(path: str, bases: tuple[Path, ...]) -> bool:
    """Whether a path, which may hold `*`, leads to a file from one of the bases."""
    return any(next(base.glob(path), None) is not None for base in bases)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_path_in_backticks_or_mermaid_labels_exists(page: Path) -> None:
    named = paths(page.read_text(encoding="utf-8"))
    assert sorted(path for path in named if not exists(path, BASES)) == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_linked_file_exists(page: Path) -> None:
    links = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_every_make_target_exists(page: Path) -> None:
    targets = re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = {found for part in code(page.read_text(encoding="utf-8")) for found in _MAKE.findall(part)}
    assert sorted(named - set(targets)) == []


def test_a_missing_file_is_noticed() -> None:
    text = '`firmware/kassa/no_such_file.py`\n```mermaid\nA["desk/nor_this.py"] --> B["boards/*/board.py"]\n```\n'
    missing = {path for path in paths(text) if not exists(path, BASES)}
    assert missing == {"firmware/kassa/no_such_file.py", "desk/nor_this.py"}
