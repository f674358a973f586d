# SPDX-License-Identifier: MIT
"""The messages of the board, and the table made of them.

A message is a line "hwtest: " and a JSON list: ["begin", part, test, limit in ms], ["row", part, test, result, ms, note],
["fact", name, value], ["do", text] or ["question", text].
"""

import json
from dataclasses import dataclass

PREFIX = "hwtest: "
RESULTS = ("pass", "skip", "absent", "FAIL")
_FORMS = {
    "begin": (str, str, int),
    "row": (str, str, str, int, str),
    "fact": (str, str),
    "do": (str,),
    "question": (str,),
}
_LONGEST = 300  # characters of a note


@dataclass
class Row:
    """One line of the table. `ms`: how long the test took, -1 = unknown."""

    part: str
    test: str
    result: str
    ms: int = -1
    note: str = ""


def message(line: str) -> list | None:
    """The message in a line of the console, None if it holds none or a damaged one."""
    _, found, text = line.partition(PREFIX)
    if not found:
        return None
    try:
        values = json.loads(text)
    except ValueError:
        return None
    if not isinstance(values, list) or not values or values[0] not in _FORMS:
        return None
    kinds = _FORMS[values[0]]
    if len(values) != 1 + len(kinds) or any(
        type(value) is not kind for value, kind in zip(values[1:], kinds, strict=True)
    ):
        return None
    return None if values[0] == "row" and values[3] not in RESULTS else values


def plain(text: str) -> str:
    """A text for one cell: printable, on one line, without the table's own sign, not too long."""
    clean = "".join(char if char.isprintable() else " " for char in text).replace("|", "/")
    return " ".join(clean.split())[:_LONGEST]


def table(facts: dict[str, str], rows: list[Row]) -> str:
    """Facts and rows as Markdown that is aligned for reading, too."""
    cells = [("part", "test", "result", "ms", "note")]
    cells += [(row.part, row.test, row.result, str(row.ms) if row.ms >= 0 else "", row.note) for row in rows]
    cells = [tuple(map(plain, line)) for line in cells]
    widths = [max(len(line[column]) for line in cells) for column in range(4)]
    lines = ["| " + " | ".join([*map(str.ljust, line[:4], widths), line[4]]).rstrip() + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|---|")
    head = [f"- {plain(name)}: {plain(value)}" for name, value in facts.items()]
    count = ", ".join(f"{sum(row.result == result for row in rows)} {result}" for result in RESULTS)
    return "\n".join(["## Kassa hardware test", *head, "", *lines, "", count])
