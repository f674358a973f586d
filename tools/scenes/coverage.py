# SPDX-License-Identifier: MIT
"""Which entries of the menu the plays open, and which titles of pages they see."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import menu_keys
from tools.world.power import FIRMWARE

_FLOWS = FIRMWARE / "kassa" / "flows"
# The position of the title among the arguments: of a page of ui, and of a function of flows/steps/show_outcome.py.
_PAGES = {"message": 1, "show": 1, "list": 0, "menu": 0, "amount": 0, "number": 0, "code": 0, "text": 0}
_RESULTS = {"result": 2, "finish": 2}


@dataclass(frozen=True)
class Coverage:
    """What there is, and what no play shows. A title: a text key."""

    entries: tuple[str, ...]
    unopened: tuple[str, ...]
    titles: tuple[str, ...]
    unseen: tuple[str, ...]

    def __str__(self) -> str:
        opened = len(self.entries) - len(self.unopened)
        seen = len(self.titles) - len(self.unseen)
        lines = [f"menu entries: {opened} of {len(self.entries)}", f"titles: {seen} of {len(self.titles)}"]
        missing = sorted({*self.unopened, *self.unseen})
        return "\n".join(lines + ([f"not shown: {', '.join(missing)}"] if missing else []))


def of(keys: Iterable[str], opened: Iterable[str]) -> Coverage:
    """The coverage of all plays together: the text keys on their pictures, and the entries of the menu that they open."""
    menus = menu_keys.menus()
    entries = sorted({entry for below in menus.values() for entry in below if entry not in menus})
    titles = sorted(set(_titles()))
    seen, used = set(keys), set(opened)
    return Coverage(
        tuple(entries),
        tuple(entry for entry in entries if entry not in used),
        tuple(titles),
        tuple(title for title in titles if title not in seen),
    )


def of_accepted(shown: dict[str, dict[str, list[str]]]) -> Coverage:
    """The coverage of what was accepted, see run.what_is_shown."""
    keys = [key for what in shown.values() for key in what["keys"]]
    return of(keys, [entry for what in shown.values() for entry in what["entries"]])


def _titles() -> Iterator[str]:
    """The text keys that the flows use as titles, where they are written out."""
    for path in sorted(_FLOWS.rglob("*.py")):
        yield from _titles_in(path)


def _titles_in(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Attribute) and node.func.attr in _PAGES:
            place = _PAGES[node.func.attr]
            if len(node.args) > place:
                yield from _keys(node.args[place])
        elif isinstance(node.func, ast.Name) and node.func.id in _RESULTS:
            place = _RESULTS[node.func.id]
            if len(node.args) > place and isinstance(node.args[place], ast.Constant):
                yield str(node.args[place].value)  # type: ignore[attr-defined]


def _keys(title: ast.expr) -> Iterator[str]:
    """The key in t("key") or ui.t("key", ...)."""
    if isinstance(title, ast.Call) and title.args and isinstance(title.args[0], ast.Constant):
        name = title.func.attr if isinstance(title.func, ast.Attribute) else getattr(title.func, "id", "")
        if name == "t":
            yield str(title.args[0].value)
