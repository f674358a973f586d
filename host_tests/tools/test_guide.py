# SPDX-License-Identifier: MIT
"""The cashier's guide: its keys, its words and its pictures are the terminal's, and both languages have the same tasks."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tools import guide, menu_keys
from tools.fonts.build import table
from tools.scenes import run
from tools.scenes.picture import pattern

LANGUAGES = sorted(guide.PAGES)
KEYS = re.compile(r"`M ([0-9 ]+)` \*([^*]+)\*")
WORDS = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")
OWN = {"these words", "这样的字"}  # the guide explains its own type with them


def text(language: str) -> str:
    return guide.PAGES[language].read_text("utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_keys_lead_to_the_entry_that_is_named(language: str) -> None:
    words = table(language)
    reached = {menu_keys.keys_of(entry): words[entry] for menu in menu_keys.menus().values() for entry in menu}
    named = KEYS.findall(text(language))
    assert len(named) > 15
    assert {keys: name for keys, name in named} == {keys: reached.get("M" + keys.replace(" ", "")) for keys, _ in named}


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_of_the_screen_are_words_of_the_screen(language: str) -> None:
    known = [pattern(words) for words in table(language).values()]
    found = {re.sub(r"\s", "", words) for words in WORDS.findall(text(language))} - {re.sub(r"\s", "", w) for w in OWN}
    assert not {words for words in found if not any(one.fullmatch(words) for one in known)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_picture_is_one_of_the_scenes(language: str) -> None:
    shown = guide.pictures(text(language))
    assert {where for where, _ in shown} == {language}
    accepted = run.accepted()[language]
    assert not [name for _, name in shown if name not in accepted or not run.committed(language, name).exists()]


def test_both_languages_have_the_same_tasks_and_pictures() -> None:
    english, chinese = text("en"), text("zh")
    assert re.findall(r"^## (\d+)\.", english, re.M) == re.findall(r"^## (\d+)\.", chinese, re.M)
    assert [name for _, name in guide.pictures(english)] == [name for _, name in guide.pictures(chinese)]
    assert re.findall(r"`[^`]+`", english) == re.findall(r"`[^`]+`", chinese)


def test_the_html_page_has_every_task_and_picture(tmp_path: Path) -> None:
    page = guide.html("en")
    assert page.count("<h2>") == len(re.findall(r"^## ", text("en"), re.M))
    assert page.count("<img ") == len(guide.pictures(text("en")))
