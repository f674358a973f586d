# SPDX-License-Identifier: MIT
"""Reads the page's tables of words."""

import json
import re

from tools.panel.server import PAGE


def table(name: str) -> dict[str, str]:
    """Every key: "text" of a words file."""
    pairs = re.findall(r'(\w+): ("(?:[^"\\]|\\.)*")', (PAGE / name).read_text())
    return {key: json.loads(text) for key, text in pairs}
