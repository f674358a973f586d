# SPDX-License-Identifier: MIT
"""The keys that type a text on the terminal's page for text, read from the firmware's own table of characters."""

import ast
from pathlib import Path

_SOURCE = Path(__file__).resolve().parent.parent / "firmware" / "kassa" / "screens" / "text_entry.py"


def keys(text: str) -> str:
    """Two digits a character. Raises ValueError for a character that the page does not have."""
    table = _characters()
    return "".join(f"{table.index(byte):02d}" for byte in text.encode())


def _characters() -> bytes:
    for node in ast.parse(_SOURCE.read_text(encoding="utf-8")).body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and node.targets[0].id == "CHARACTERS"
        ):
            return ast.literal_eval(node.value)
    raise ValueError("no table of characters")
