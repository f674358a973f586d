# SPDX-License-Identifier: MIT
"""The keys that open an entry of the terminal's menu, read from the firmware's own tree of menus."""

import ast
import re
from pathlib import Path

_SOURCE = Path(__file__).resolve().parent.parent / "firmware" / "kassa" / "flows" / "idle" / "menu_tree.py"


def menus() -> dict[str, list[str]]:
    """The entries of each menu, by text key. The first menu is "menu"."""
    return {name.rstrip(":"): rest.split() for name, _, rest in _lines() if name.endswith(":")}


def flow_of(entry: str) -> tuple[str, str]:
    """The module below kassa.flows and the function behind an entry that is no menu. Raises StopIteration."""
    module, _, name = next(rest for first, _, rest in _lines() if first == entry).partition(" ")
    return module, name


def role_of(entry: str) -> str:
    """The least role that may use an entry without asking: c cashier, s supervisor, a administrator."""
    source = (_SOURCE.parents[2] / "desk" / "roles.py").read_text(encoding="utf-8")
    row = re.search(rf"^{entry} [0-9]+ ([csa])$", source, re.MULTILINE)
    return row[1] if row else "c"


def way_to(entry: str) -> list[tuple[str, str]]:
    """Each menu from the home page on, then the entry; each with the key that opens it, M or a digit. Raises KeyError."""
    if entry == "menu":
        return [("menu", "M")]
    for menu, entries in menus().items():
        if entry in entries:
            return [*way_to(menu), (entry, str(entries.index(entry) + 1))]
    raise KeyError(entry)


def keys_of(entry: str) -> str:
    """The keys from the home page to an entry: M and a digit for each menu. Raises KeyError."""
    return "".join(key for _, key in way_to(entry))


def _lines() -> list[tuple[str, str, str]]:
    tree = ast.parse(_SOURCE.read_text(encoding="utf-8"))
    text = next(
        node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    )
    return [line.partition(" ") for line in text.strip().splitlines()]
