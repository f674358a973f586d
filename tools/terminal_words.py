# SPDX-License-Identifier: MIT
"""The terminal's own words and menu, read from the firmware's source, so that the page says what the display says."""

import ast
import functools
from typing import Any

from tools import menu_keys
from tools.world.power import FIRMWARE

_TEXTS = FIRMWARE / "kassa" / "screens" / "texts"
_TABLES = ("", "setup_", "receipt_")


@functools.cache
def words() -> dict[str, dict[str, str]]:
    """The texts of each language by text key, as written: with %s and %d where values go."""
    return {language: _of(language) for language in ("en", "zh")}


def menu() -> dict[str, dict[str, Any]]:
    """Each entry of the menu: its `keys` from the home page, and its `path`, the text keys from the first menu to it."""
    found: dict[str, dict[str, Any]] = {"menu": {"keys": "M", "path": ["menu"]}}
    for parent, entries in menu_keys.menus().items():
        for entry in entries:
            found[entry] = {"keys": menu_keys.keys_of(entry), "path": [*found[parent]["path"], entry]}
    return found


def _of(language: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for table in _TABLES:
        tree = ast.parse((_TEXTS / f"{table}{language}.py").read_text(encoding="utf-8"))
        texts = [node.value for node in tree.body if isinstance(node, ast.Assign)]
        for line in "".join(str(text.value) for text in texts if isinstance(text, ast.Constant)).splitlines():
            key, equals, text = line.partition("=")
            if equals:
                found[key] = text
    return found
