# SPDX-License-Identifier: MIT
"""Writes docs/menu.md from the firmware: the tree of menus, the keys of each entry, and who may open it.

python -m tools.menu_page
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tools import menu_keys
from tools.fonts.build import table
from tools.world.power import FIRMWARE, ROOT

PAGE = ROOT / "docs" / "menu.md"
_ROLES = FIRMWARE / "kassa" / "desk" / "roles.py"
_NAMES = {"c": "everybody", "s": "supervisor", "a": "administrator"}
_HEAD = """# The menu

Every entry of the terminal's menu. From the home page, **M** opens the menu, and each digit opens an entry of the page it
shows: `M 1 2` is the second entry of the first. The arrows and **E** do the same. *Who* is the least role that may open
the entry; anybody else is asked for a colleague who may.

This page is written by `python -m tools.menu_page` from the firmware's own table.

| keys | entry | 中文 | who |
|---|---|---|---|
"""


def text() -> str:
    """The page."""
    english, chinese, roles = table("en"), table("zh"), _roles()
    rows = []
    for depth, entry, is_menu in _walk("menu", 0):
        keys = f"`{' '.join(menu_keys.keys_of(entry))}`"
        indent = "&emsp;" * depth
        mark = "**" if is_menu else ""
        who = "" if is_menu else _NAMES[roles.get(entry, "c")]
        rows.append(f"| {keys} | {indent}{mark}{english[entry]}{mark} | {indent}{mark}{chinese[entry]}{mark} | {who} |")
    return _HEAD + "\n".join(rows) + "\n"


def _walk(menu: str, depth: int) -> Iterator[tuple[int, str, bool]]:
    """(depth, entry, whether it is a menu) of every entry, in the order of the pages."""
    menus = menu_keys.menus()
    for entry in menus[menu]:
        yield depth, entry, entry in menus
        if entry in menus:
            yield from _walk(entry, depth + 1)


def _roles() -> dict[str, str]:
    """Entry -> the least role that may open it: c, s or a. What is not in it is for everybody."""
    if not _ROLES.exists():
        return {}
    rows = [line.split() for line in _constant(_ROLES, "TABLE").strip().splitlines()]
    return {act: role for act, _, role in rows}


def _constant(path: Path, name: str) -> str:
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name:
            return ast.literal_eval(node.value)
    raise ValueError(f"{path} has no {name}")


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
