# SPDX-License-Identifier: MIT
"""The numbers of settings: each means one thing wherever the firmware uses it, and stands once in docs/keys.md."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator

from host_tests.house.source import FIRMWARE, ROOT, files

HOLDERS = {"settings", "values", "found"}  # the last part of what holds settings: session.settings, self._values
STAFF = {"SETTING", "STAFF"}  # operators.SETTING; boot names it again, so that it need not load operators.py


def constants(tree: ast.Module) -> dict[str, int]:
    """Name -> value of the whole numbers that a file defines with const()."""
    found = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign):
            continue
        target, value = node.targets[0], node.value
        both = isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple)
        for left, right in zip(target.elts, value.elts, strict=True) if both else [(target, value)]:  # type: ignore[attr-defined]
            number = right.args[0] if isinstance(right, ast.Call) and right.args else None
            if isinstance(left, ast.Name) and isinstance(number, ast.Constant) and type(number.value) is int:
                found[left.id] = number.value
    return found


def last_name(node: ast.expr) -> str:
    """`c` of a.b.c and of c; "" for anything else."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def used(tree: ast.Module) -> Iterator[ast.expr]:
    """The expressions by which a file gets and puts settings."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        if node.func.attr in ("get", "put") and last_name(node.func.value).strip("_") in HOLDERS:
            keys = node.args[0].keys if isinstance(node.args[0], ast.Dict) else [node.args[0]]
            yield from (key for key in keys if key is not None)


def meanings() -> dict[int, set[str]]:
    """Number -> the names that the firmware has for it."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in files("firmware")}
    known = {path: constants(tree) for path, tree in trees.items()}
    shared = FIRMWARE / "kassa" / "vault" / "settings" / "settings.py"
    public = {word: value for path in known for word, value in known[path].items() if not word.startswith("_")}
    found: dict[int, set[str]] = defaultdict(set)
    for word, value in known[shared].items():
        if not word.startswith("_"):
            found[value].add(word)
    for path, tree in trees.items():
        for key in used(tree):
            word = last_name(key)
            own = known[path] if isinstance(key, ast.Name) else {}
            value = own.get(word, known[shared].get(word, public.get(word)))
            if value is not None:
                found[value].add(word.strip("_"))
    return found


def documented() -> list[str]:
    """The numbers in the table of docs/keys.md, in its order."""
    table = (ROOT / "docs" / "keys.md").read_text("utf-8").split("\n## Settings partition")[1].split("\n### ")[0]
    return re.findall(r"^\| ([0-9A-F]{2}) \|", table, re.MULTILINE)


def test_a_number_means_one_setting() -> None:
    found = meanings()
    print({f"{number:02X}": sorted(names) for number, names in sorted(found.items())})
    assert len(found) > 25
    assert {number: names for number, names in found.items() if len(names) > 1 and names != STAFF} == {}


def test_every_number_stands_once_in_the_docs() -> None:
    rows = documented()
    assert len(rows) == len(set(rows)), sorted({row for row in rows if rows.count(row) > 1})
    assert {f"{number:02X}" for number in meanings()} == set(rows)
