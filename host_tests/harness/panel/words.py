# SPDX-License-Identifier: MIT
"""Reads the page's word tables."""

import json
import re

from tools.panel.server import PAGE


def table(name: str) -> dict[str, str]:
    """The key -> text pairs of a words file."""
    pairs = re.findall(r'(\w+): ("(?:[^"\\]|\\.)*")', (PAGE / name).read_text())
    return {key: json.loads(text) for key, text in pairs}
