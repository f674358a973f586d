# SPDX-License-Identifier: MIT
"""Plays the plays of one theme, and compares digests of the pictures with those that were accepted."""

import importlib
import json
import re
from pathlib import Path

from tools.scenes.picture import Picture
from tools.scenes.plays import THEMES
from tools.scenes.stage import Stage
from tools.world.ili9341 import png
from tools.world.power import ROOT

_PICTURES = ROOT / "docs" / "images" / "screens"
_SHOWN = re.compile(r"images/screens/(\w+)/([\w-]+)\.png")
DIGESTS = Path(__file__).parent / "digests.json"
SHOWN = Path(__file__).parent / "shown.json"


def play(theme: str, language: str, home: Path) -> tuple[list[Picture], list[str]]:
    """Play one theme. Returns the pictures and the opened entries of the menu. Raises WorldError for a missing screen."""
    module = importlib.import_module(f"tools.scenes.plays.{theme}")
    with Stage(home, language, **getattr(module, "TERMINAL", {})) as stage:
        stage.start(getattr(module, "SIGNED_ON", True))
        for scene in module.PLAYS:
            stage.play = (scene.__doc__ or scene.__name__).splitlines()[0]
            scene(stage)
            stage.home()
        return stage.pictures, stage.opened


def accepted() -> dict[str, dict[str, str]]:
    """The accepted digests: language -> name of the picture -> digest."""
    return json.loads(DIGESTS.read_text("utf-8")) if DIGESTS.exists() else {}


def accept(language: str, pictures: list[Picture]) -> None:
    """Accept pictures as they are, and renew those of them that README and the pages of docs show."""
    found = accepted()
    found.setdefault(language, {}).update({picture.name: picture.digest for picture in pictures})
    _write(found)
    wanted = shown()
    for picture in pictures:
        if (language, picture.name) in wanted:
            path = committed(language, picture.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(picture.pixels))


def what_is_shown() -> dict[str, dict[str, list[str]]]:
    """Theme -> what its plays show, as accepted: see `showing`."""
    return json.loads(SHOWN.read_text("utf-8")) if SHOWN.exists() else {}


def showing(pictures: list[Picture], opened: list[str]) -> dict[str, list[str]]:
    """What the plays of a theme show: the names of their pictures, the text keys on these, the entries of the menu."""
    return {
        "pictures": sorted(picture.name for picture in pictures),
        "keys": sorted({key for picture in pictures for key in picture.keys}),
        "entries": sorted(set(opened)),
    }


def accept_showing(theme: str, pictures: list[Picture], opened: list[str]) -> None:
    """Accept what a theme shows; forget themes that there are no more."""
    found = {name: what for name, what in what_is_shown().items() if name in THEMES}
    found[theme] = showing(pictures, opened)
    SHOWN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")


def forget_others(names: set[str]) -> None:
    """Drop the digests of pictures that no play takes any more."""
    known = accepted()
    _write({one: {name: digest for name, digest in known[one].items() if name in names} for one in known})


def _write(digests: dict[str, dict[str, str]]) -> None:
    """Sorted by name, one a line."""
    DIGESTS.write_text(json.dumps(digests, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")


def changes(language: str, pictures: list[Picture]) -> list[str]:
    """What differs from the accepted digests, in words."""
    known = accepted().get(language, {})
    words = []
    for picture in pictures:
        if picture.name not in known:
            words.append(f"{language} {picture.name}: new")
        elif known[picture.name] != picture.digest:
            words.append(f"{language} {picture.name}: looks different")
    return words


def save(folder: Path, pictures: list[Picture]) -> None:
    """Write each picture as NAME.png."""
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        (folder / f"{picture.name}.png").write_bytes(png(picture.pixels))


def committed(language: str, name: str) -> Path:
    """The file of a picture that README or the guide shows."""
    return _PICTURES / language / f"{name}.png"


def shown() -> set[tuple[str, str]]:
    """(language, name) of the pictures that README and the pages of docs show."""
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return {found for page in pages for found in _SHOWN.findall(page.read_text("utf-8"))}


def outdated(language: str, pictures: list[Picture]) -> list[str]:
    """The names of the committed pictures that are missing or look different. Those that differ in every run are not compared."""
    wanted = shown()
    found = []
    for picture in pictures:
        path = committed(language, picture.name)
        if (language, picture.name) in wanted and (
            not path.exists() or not picture.hidden and path.read_bytes() != png(picture.pixels)
        ):
            found.append(f"{language}/{picture.name}")
    return found
