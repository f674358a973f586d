# SPDX-License-Identifier: MIT
"""`python -m tools.hardware.wiring`: writes the wiring tables of docs/hardware.md and a drawing per board, from board.py."""

import sys
from pathlib import Path

from tools.hardware import pins
from tools.hardware.catalogue import ROOT, BoardFolder, boards

PAGE = ROOT / "docs" / "hardware.md"
_LINE, _BOX, _GAP = 18, 300, 170


def table(board: BoardFolder) -> str:
    """The wiring of a board as a Markdown table, one row per pin."""
    rows = ["| part and signal | GPIO | direction | note |", "|---|---|---|---|"]
    for use in pins.uses(board.folder / "board.py", board.chip):
        notes = [
            use.pull,
            f"strapping pin: {board.chip.strapping[use.gpio]}" if use.gpio in board.chip.strapping else "",
        ]
        if pins.externally_pulled(use, board.chip):
            notes.append("10 kohm to 3.3 V")
        rows.append(f"| {use.what} | {use.gpio} | {use.mode} | {'; '.join(note for note in notes if note)} |")
    return "\n".join(rows)


def drawing(board: BoardFolder) -> str:
    """The wiring of a board as an SVG: pins at the left, parts at the right, one line per wire."""
    uses = pins.uses(board.folder / "board.py", board.chip)
    height = 60 + _LINE * len(uses)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 700 {height}" font-family="sans-serif" font-size="12">',
        f"<!-- SPDX-License-Identifier: MIT; made by tools/hardware/wiring.py --><title>{board.name}</title>",
        f'<rect width="700" height="{height}" fill="white"/>',
        f'<rect x="40" y="30" width="{_GAP}" height="{height - 45}" fill="none" stroke="black"/>',
        f'<rect x="380" y="30" width="{_BOX}" height="{height - 45}" fill="none" stroke="black"/>',
        f'<text x="40" y="20">{board.name} ({board.chip.name})</text><text x="380" y="20">parts</text>',
    ]
    for number, use in enumerate(uses):
        y = 52 + _LINE * number
        resistor = " + 10 kohm to 3.3 V" if pins.externally_pulled(use, board.chip) else ""
        out.append(f'<text x="{_GAP + 30}" y="{y}" text-anchor="end">GPIO {use.gpio}</text>')
        out.append(
            f'<path d="M{_GAP + 40} {y - 4}H380" stroke="black"/><text x="390" y="{y}">{use.what}{resistor}</text>'
        )
    return "\n".join([*out, "</svg>", ""])


def drawing_path(board: BoardFolder) -> Path:
    """Where the drawing of a board lies."""
    return ROOT / "docs" / "images" / f"{board.name}.svg"


def filled(text: str) -> str:
    """The page with the tables between its marks renewed. Raises ValueError if a mark is missing."""
    for board in boards():
        begin, end = f"<!-- wiring {board.name} -->\n", f"<!-- end {board.name} -->"
        head, rest = text.split(begin)
        tail = rest.split(end)[1]
        text = head + begin + table(board) + "\n" + end + tail
    return text


def main() -> int:
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    for board in boards():
        drawing_path(board).write_text(drawing(board), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
