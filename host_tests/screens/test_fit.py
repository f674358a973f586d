# SPDX-License-Identifier: MIT
"""Every text fits its place in both languages: titles, legends, hints, rows of menus and lists, the top bar, home lines.

The places are read from the flows' own calls, the widths from the device's own font. A text with values is filled with long
ones.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from tools import menu_keys
from tools.fonts.build import table
from tools.world.power import FIRMWARE

TEXT, TITLE = 0, 2
LANGUAGES = ("en", "zh")
MEASURE = """
import json
from kassa.screens import font
from kassa.screens.canvas import Canvas
made = Canvas(None, font.Font())
for line in open("texts"):
    width, face, text = json.loads(line)
    print("rows", json.dumps([len(made.wrap(text, width, face)), made.measure(face, text)]))
"""
SOURCES = {path: ast.parse(path.read_text("utf-8")) for path in sorted((FIRMWARE / "kassa").rglob("*.py"))}
# Where the title of a page stands among the arguments, and in what it must fit.
TITLES = {"message": 1, "show": 1, "list": 0, "menu": 0, "amount": 0, "number": 0, "code": 0, "sheet": 1}
WIDTHS = {"menu": (224, TEXT, 1), "message": (240, TITLE, 2), "show": (240, TITLE, 2), "code": (240, TITLE, 1)}
SHOWS = {"result": 2, "finish": 2}  # functions that call `message`
HINTS = {"number": 3, "amount": 3}  # the note of a page of entry: one row
LEGEND = re.compile(r"([ECBMUD]*=(%s|[a-z_]*) ?)+")
WARNING = "\ue107 "
VALUES = {  # longer than usual, by the beginning of the key
    "operator_": ("88",), "amount_due": ("¥50,000.00",), "queue_title": (888, "¥88,888.88"),
    "settle_batch": ("888888",), "home_unreadable": (88888,), "fault_code": ("housekeeping",),
}  # fmt: skip


class Place(NamedTuple):
    """A text key where it is shown: width in pixels, face, rows, what stands before it."""

    key: str
    width: int
    face: int
    rows: int
    before: str = ""


def keys(node: ast.expr) -> Iterator[str]:
    """The keys in t("key"), t("one" if x else "other", ...) and the like."""
    if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "t" and node.args:
        for part in ast.walk(node.args[0]):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield from known(part.value)


def known(key: str) -> Iterator[str]:
    """The key, or those that it may become: "wifi_no_%s"."""
    words = table("en")
    if key in words:
        yield key
    elif "%" in key:
        shape = re.compile(re.sub(r"%0?\d*[sdx]", "[0-9a-z]+", key))
        yield from (word for word in words if shape.fullmatch(word))


def calls() -> Iterator[tuple[str, ast.Call]]:
    for tree in SOURCES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield getattr(node.func, "attr", getattr(node.func, "id", "")), node


def titles() -> Iterator[Place]:
    for name, call in calls():
        place = TITLES.get(name)
        if place is not None and len(call.args) > place:
            width, face, rows = WIDTHS.get(name, (288, TITLE, 1))
            yield from (Place(key, width, face, rows) for key in keys(call.args[place]))
        place = SHOWS.get(name)
        if place is not None and len(call.args) > place and isinstance(call.args[place], ast.Constant):
            yield Place(str(call.args[place].value), 240, TITLE, 2)  # type: ignore[attr-defined]


def hints() -> Iterator[Place]:
    for name, call in calls():
        notes = [call.args[HINTS[name]]] if name in HINTS and len(call.args) > HINTS[name] else []
        notes += [word.value for word in call.keywords if word.arg == "note"]
        for note in notes:
            yield from (Place(key, 288, TEXT, 1) for key in keys(note))
    for key in ("number_short", "number_none", "amount_zero", "amount_over", "amount_full"):
        yield Place(key, 288, TEXT, 1, WARNING)


def menu_rows() -> Iterator[Place]:
    for menu, entries in menu_keys.menus().items():
        yield Place(menu, 224, TEXT, 1)
        yield from (Place(entry, 264, TEXT, 1) for entry in entries)
    for name, call in calls():
        if name == "menu" and len(call.args) > 1:
            yield from (
                Place(key, 264, TEXT, 1)
                for part in ast.walk(call.args[1])
                if isinstance(part, ast.expr)
                for key in keys(part)
            )


def home_lines() -> Iterator[Place]:
    for key in table("en"):
        if key.startswith(("home_", "cause_")) and key not in ("home_hint", "home_last"):
            yield Place(key, 288, TEXT, 1, WARNING)
    yield Place("home_hint", 304, TITLE, 1)


def bar() -> Iterator[Place]:
    for key in ("bar_off", "bar_wifi", "bar_busy", "bar_host"):
        yield Place(key, 72, TEXT, 1)
    yield Place("bar_clear", 144, TEXT, 1)


def legends() -> set[str]:
    """Every legend written in the firmware; one with a hole is filled with each text that a call gives for it."""
    found: set[str] = set()
    for path, tree in SOURCES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and LEGEND.fullmatch(node.value):
                holes = node.value.count("%s")
                acts = [(act,) for act in offered(path.stem)] if holes == 1 else [()]
                found |= {node.value % act for act in acts} if holes < 2 else set()
    found |= {f"E={act} C=key_back UD=key_more" for act in offered("listing")}
    return found - {"=", "UD="}


def offered(page: str) -> set[str]:
    """The acts that flows offer on a page of numbers or a list."""
    name, place = ("number", 7) if page == "number" else ("list", 3)
    given = [
        part
        for called, call in calls()
        if called == name
        for part in [*call.args[place:], *(word.value for word in call.keywords if word.arg == "act")]
    ]
    return {str(part.value) for part in given if isinstance(part, ast.Constant)}


def rows_of_lists() -> Iterator[tuple[str, str]]:
    """The keys of the two texts of a row, "" for one that is a figure."""
    for path, tree in SOURCES.items():
        pairs = [pair for node in ast.walk(tree) for pair in in_a_list(node)] if "flows" in path.parts else []
        for pair in pairs:
            if isinstance(pair, ast.Tuple) and len(pair.elts) == 2 and not isinstance(pair.elts[1], ast.Constant):
                left, right = pair.elts
                found = [key for part in ast.walk(right) if isinstance(part, ast.expr) for key in keys(part)]
                yield from ((key, other) for key in keys(left) for other in found or [""])


def in_a_list(node: ast.AST) -> list[ast.expr]:
    """What stands in a list, in a tuple or in the brackets of `append`."""
    if isinstance(node, ast.List | ast.Tuple):
        return node.elts
    if isinstance(node, ast.ListComp):
        return [node.elt]
    return node.args if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "append" else []


def pages() -> Iterator[tuple[bool, tuple[str, ...]]]:
    """Whether a page of a message has an amount, and the keys of its lines, where they are written out in the call."""
    for name, call in calls():
        place = {"message": 2, "show": 2, "result": 3}.get(name, len(call.args))
        if len(call.args) > place and isinstance(call.args[place], ast.Tuple | ast.List):
            lines = call.args[place].elts  # type: ignore[attr-defined]
            plain = [str(line.value) for line in lines if isinstance(line, ast.Constant)]
            found = [plain] if name == "result" else [list(keys(line)) for line in lines]
            figure = name == "result" or len(call.args) > (5 if name == "message" else 4)
            figure = figure or any(word.arg == "amount" for word in call.keywords)
            if name == "result":
                yield True, tuple(plain)
            elif all(found):
                for number in range(max(map(len, found), default=0)):
                    yield figure, tuple(each[min(number, len(each) - 1)] for each in found)


def filled(key: str, text: str) -> str:
    """The text with long values in place of its holes."""
    holes = re.findall(r"%0?\d*[sd]", text)
    if not holes:
        return text.replace("%%", "%")
    values = next((values for start, values in VALUES.items() if key.startswith(start)), None)
    if values is None:
        values = tuple(88 if hole.endswith("d") else "¥8,888.88" for hole in holes)
    return text % values[: len(holes)]


def measured(run_script, tmp_path, asked: list[tuple[int, int, str]]) -> list[list[int]]:
    """[rows, width] of each (width, face, text), as the device's own font and line breaking have it."""
    (tmp_path / "texts").write_text("".join(json.dumps(each) + "\n" for each in asked))
    world = run_script(MEASURE.replace('"texts"', repr(str(tmp_path / "texts"))))
    world.wait_off(120)
    found = [json.loads(line[5:]) for line in world.console.splitlines() if line.startswith("rows ")]
    assert len(found) == len(asked)
    return found


def test_every_text_fits_its_place_in_both_languages(run_script, tmp_path) -> None:
    kinds = {"titles": titles(), "hints": hints(), "menus": menu_rows(), "home": home_lines(), "bar": bar()}
    places = {kind: sorted(set(found)) for kind, found in kinds.items()}
    assert all(len(found) > 4 for found in places.values()), places
    every = [
        (language, place, filled(place.key, table(language)[place.key]))
        for language in LANGUAGES
        for found in places.values()
        for place in found
    ]
    every += [
        ("", Place("bar_queue", 144, TEXT, 1), "\ue108 888  ¥88,888.88")
    ]  # as the bar writes it if there is no room
    sizes = measured(run_script, tmp_path, [(place.width, place.face, place.before + text) for _, place, text in every])
    wrong = [
        (language, place, text, size)
        for (language, place, text), size in zip(every, sizes, strict=True)
        if size[0] > place.rows or place.rows == 1 and size[1] > place.width
    ]
    print({kind: len(found) for kind, found in places.items()}, "in two languages")
    assert not wrong, "\n".join(map(str, wrong))


def test_every_legend_fits_the_bottom_line(run_script, tmp_path) -> None:
    found = sorted(legends())
    assert len(found) > 15
    hinted = [(language, legend, hint) for language in LANGUAGES for legend in found for hint in legend.split()]
    asked = []
    for language, _, hint in hinted:
        caps, _, word = hint.partition("=")
        faces = caps.replace("U", "↑").replace("D", "↓")
        asked += [(320, TEXT, faces), (320, TEXT, table(language)[word] if word else "")]
    sizes = measured(run_script, tmp_path, asked)
    ends: dict[tuple[str, str], int] = {}
    for place, (language, legend, hint) in enumerate(hinted):
        faces, text = sizes[2 * place][1], sizes[2 * place + 1][1]
        start = ends.get((language, legend), 8 - 16) + 16
        ends[language, legend] = start + (0 if hint.startswith("=") else faces + 18) + text
    print(f"{len(found)} legends in two languages, the longest ends at {max(ends.values())}")
    assert not {legend: end for legend, end in ends.items() if end > 320}


def test_both_texts_of_a_row_fit_beside_each_other(run_script, tmp_path) -> None:
    rows = sorted(set(rows_of_lists()))
    assert len(rows) > 30
    every = [(language, left, right) for language in LANGUAGES for left, right in rows]
    asked = []
    for language, left, right in every:
        words = table(language)
        asked.append((288, TEXT, filled(left, words[left])))
        asked.append((288, TEXT, filled(right, words[right]) if right else "¥88,888.88"))
    sizes = measured(run_script, tmp_path, asked)
    wrong = [
        (row, sizes[2 * place][1], sizes[2 * place + 1][1])
        for place, row in enumerate(every)
        if sizes[2 * place][1] + sizes[2 * place + 1][1] > 280
    ]
    print(f"{len(rows)} rows in two languages")
    assert not wrong, "\n".join(map(str, wrong))


def test_no_line_of_a_message_falls_off_its_page(run_script, tmp_path) -> None:
    found = sorted(set(pages()))
    assert len(found) > 25
    every = [(language, *page) for language in LANGUAGES for page in found]
    asked = [
        (288, face, filled(key, table(language)[key]))
        for language, _, words in every
        for key in words
        for face in (TEXT, TITLE)
    ]
    sizes = iter(measured(run_script, tmp_path, asked))
    wrong = []
    for language, figure, words in every:
        end = 148 if figure else 108
        for place in range(len(words)):
            small, large = next(sizes), next(sizes)
            last = end + (24 if not place and large[1] <= 288 else 20 * small[0] - 4)
            end += 32 if not place and large[1] <= 288 else 20 * small[0]
            if last > 216:
                wrong.append((language, words, last))
    print(f"{len(found)} pages of messages in two languages")
    assert not wrong, "\n".join(map(str, wrong))
