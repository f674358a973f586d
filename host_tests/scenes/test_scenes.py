# SPDX-License-Identifier: MIT
"""Every screen of the real firmware: it comes, it says what it should, and it looks as accepted.

After a wanted change: `make scenes ACCEPT=1`, look at the album, and commit tools/scenes/digests.json and shown.json.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from host_tests.harness.long_runs import LONG
from tools.fonts.build import table
from tools.scenes import contrast, coverage, run
from tools.scenes.picture import compact
from tools.scenes.plays import THEMES
from tools.scenes.stage import LANGUAGES

# `make long` and `make scenes` play each theme in both languages, `make test` in one of them.
ORDER = [
    (theme, language)
    for place, theme in enumerate(THEMES)
    for language in (LANGUAGES if LONG else LANGUAGES[place % 2 : place % 2 + 1])
]
WITHOUT_BAR = ("safe-mode",)  # it needs as few files as possible
# Titles of pages that no play can bring up: the reason.
NOT_SHOWN = {
    "closed": "the host of this version always sends its totals with the answer to a close",
    "fault_flash": "the simulated chip does not wear out: a level that cannot be stored",
    "wifi_not_stored": "the same: a network that cannot be stored",
}


@pytest.mark.parametrize(("theme", "language"), ORDER)
def test_the_screens_of_a_theme(micropython: str, theme: str, language: str, tmp_path: Path) -> None:
    pictures, opened = run.play(theme, language, tmp_path / "shop")
    names = [picture.name for picture in pictures]
    assert len(names) == len(set(names))
    words = table(language)
    keys = [key for key in words if "_" in key]
    for picture in pictures:
        shown = compact(picture.lines)
        assert not [key for key in keys if key in shown], (picture.name, picture.lines)
        assert picture.lines[0].startswith("{") or picture.name in WITHOUT_BAR, (picture.name, "no top bar")
        assert not contrast.others(picture.pixels), picture.name
    changed = run.changes(language, pictures)
    run.save(tmp_path / "changed", [picture for picture in pictures if any(picture.name in line for line in changed)])
    assert not run.outdated(language, pictures), "make scenes ACCEPT=1"
    assert run.showing(pictures, opened) == run.what_is_shown().get(theme), "make scenes ACCEPT=1"
    assert not changed, f"pictures in {tmp_path / 'changed'}; if they are right: make scenes ACCEPT=1"


def test_every_entry_of_the_menu_and_every_title_is_shown_and_every_accepted_screen_is_still_there() -> None:
    """By what was accepted; the plays themselves are compared with it above."""
    shown = run.what_is_shown()
    assert sorted(shown) == sorted(THEMES)
    found = coverage.of_accepted(shown)
    names = [name for what in shown.values() for name in what["pictures"]]
    print(f"\n{len(names)} screens\n{found}")
    assert not found.unopened
    assert set(found.unseen) == set(NOT_SHOWN)
    for language in LANGUAGES:
        assert sorted(names) == sorted(set(names)) == sorted(run.accepted()[language])
