# SPDX-License-Identifier: MIT
"""Reads HOME/kassa-host.toml. What is wrong is named with its line and key; nothing unknown is accepted."""

import dataclasses
import difflib
import json
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.host.errors import SetupError
from tools.host.settings import DEFAULTS, Settings, sections

FILE = "kassa-host.toml"
_SECTION = re.compile(r"\s*\[\s*([^]\s]+)\s*]")
_KEY = re.compile(r"\s*\"?([A-Za-z0-9_.-]+)\"?\s*=")
_NO_SECTION = ""


def load(home: Path) -> Settings:
    """The settings of a host; the defaults if it has no file. Raises SetupError."""
    path = home / FILE
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return parse(text)
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{path}: not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(f"{path}: {error}") from None
    except SetupError as error:
        raise SetupError(f"{path}, {error}") from None


def parse(text: str) -> Settings:
    """Settings from the text of a file. Raises TOMLDecodeError, or SetupError that starts with the line."""
    known = sections()
    lines = _lines(text)
    found: dict[str, dict[str, Any]] = {}
    for section, keys in tomllib.loads(text).items():
        line = lines.get((section, ""), lines.get((_NO_SECTION, section), 1))
        if section not in known:
            raise SetupError(f"line {line}: [{section}] is unknown{_nearest(section, known)}")
        if not isinstance(keys, dict):
            raise SetupError(f"line {line}: {section} must be a section: [{section}]")
        for key, value in keys.items():
            line = lines.get((section, key), line)
            if key not in known[section]:
                raise SetupError(f"line {line}: [{section}] {key} is unknown{_nearest(key, known[section])}")
            problem = _problem(known[section][key], value)
            if problem:
                raise SetupError(f"line {line}: [{section}] {key}: {problem}, not {value!r}")
        found[section] = keys
    parts = {name: dataclasses.replace(getattr(DEFAULTS, name), **keys) for name, keys in found.items()}
    return dataclasses.replace(DEFAULTS, **parts)


def template() -> str:
    """A new file: every key with its default, as a comment that says what it is."""
    lines = ["# Settings of the settlement host; docs/host.md explains them. Take the # away to change one."]
    for section, keys in sections().items():
        lines += ["", f"[{section}]"]
        for key, each in keys.items():
            lines += [f"# {each.metadata['says']}", f"# {key} = {json.dumps(each.default)}"]
    return "\n".join(lines) + "\n"


def _problem(known: dataclasses.Field[Any], value: Any) -> str:
    """What would be a right value, if this one is not."""
    limits = known.metadata
    if isinstance(known.default, bool):
        return "" if isinstance(value, bool) else "true or false is wanted"
    if isinstance(known.default, str):
        if not isinstance(value, str):
            return "a text in quotation marks is wanted"
        if limits["one_of"] and value not in limits["one_of"]:
            return "one of " + ", ".join(limits["one_of"]) + " is wanted"
        return ""
    if isinstance(value, int) and not isinstance(value, bool) and limits["least"] <= value <= limits["most"]:
        return ""
    return f"a whole number from {limits['least']} to {limits['most']} is wanted"


def _nearest(word: str, known: Iterable[str]) -> str:
    near = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {near[0]}?" if near else "; there are: " + ", ".join(known)


def _lines(text: str) -> dict[tuple[str, str], int]:
    """The line of every section (key "") and of every key."""
    lines: dict[tuple[str, str], int] = {}
    section = _NO_SECTION
    for number, line in enumerate(text.splitlines(), 1):
        if head := _SECTION.match(line):
            section = head[1].strip('"')
            lines.setdefault((section, ""), number)
        elif pair := _KEY.match(line):
            first, _, rest = pair[1].partition(".")
            lines.setdefault((section or first, rest) if rest and not section else (section, first), number)
    return lines
