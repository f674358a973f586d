# SPDX-License-Identifier: MIT
"""The parts of the panel: changed bands of the display, the news feed, and the words in both languages."""

import json
import re

import pytest

from host_tests.harness.panel.words import table
from host_tests.harness.uplink.till import Till
from tools import terminal_words
from tools.cards.catalogue import CATALOGUE
from tools.host.wire import kinds
from tools.journal import image
from tools.panel.news import News
from tools.panel.picture import Picture
from tools.panel.server import PAGE
from tools.panel.terminal_totals import word
from tools.sim.moods import parse
from tools.world.ili9341 import HEIGHT, WIDTH

_ROW = 2 * WIDTH


def test_the_first_picture_is_complete_and_later_ones_have_only_changed_rows() -> None:
    picture = Picture()
    blank = bytes(_ROW * HEIGHT)
    assert picture.update(blank) == (bytes((0, HEIGHT)) + blank,) * 2
    assert picture.update(blank) is None
    changed = bytearray(blank)
    changed[_ROW * 7 + 4] = 1
    changed[_ROW * 9] = 2
    band, whole = picture.update(bytes(changed)) or (b"", b"")
    assert band == bytes((7, 3)) + changed[_ROW * 7 : _ROW * 10]
    assert whole[2:] == changed


def test_a_change_of_the_last_row_alone_is_one_band() -> None:
    picture = Picture()
    picture.update(bytes(_ROW * HEIGHT))
    band, _ = picture.update(bytes(_ROW * (HEIGHT - 1)) + b"\xff" * _ROW) or (b"", b"")
    assert band == bytes((HEIGHT - 1, 1)) + b"\xff" * _ROW


def test_news_sends_only_changes_and_a_new_listener_gets_the_current_state() -> None:
    news, heard = News(), []
    assert news.publish("a", 1)
    assert not news.publish("a", 1)
    news.event("x", amount=5)
    news.picture(b"band", b"whole")
    news.subscribe(heard.append)
    assert [json.loads(message)["topic"] for message in heard[:2]] == ["a", "events"]
    assert heard[2] == b"whole"
    news.publish("a", 2)
    assert json.loads(heard[3]) == {"topic": "a", "value": 2}
    news.unsubscribe(heard.append)


def test_a_listener_that_left_gets_no_news() -> None:
    news, heard = News(), []
    listener = heard.append
    news.subscribe(listener)
    news.unsubscribe(listener)
    news.publish("a", 1)
    assert len(heard) == 1  # only the events sent at the start


def test_both_languages_have_the_same_words_and_placeholders() -> None:
    english, chinese = table("words-en.js"), table("words-zh.js")
    assert len(english) > 100
    only_english = {key for key in english if key.endswith("_one")}  # Chinese has no plural
    assert set(english) - set(chinese) == only_english
    for key, text in chinese.items():
        if key in english:
            assert set(re.findall(r"{\w+}", text)) == set(re.findall(r"{\w+}", english[key])), key


@pytest.mark.parametrize("approved", [False, True])
@pytest.mark.parametrize("kind", sorted(kinds.RECORDS))
def test_a_payment_that_waits_has_the_word_of_the_terminal(till: Till, kind: str, approved: bool) -> None:
    """For every kind of payment: taken without the host, or sent and not answered."""
    words = terminal_words.words()
    for code, mark, said in till.dispositions([0x67], int(kind, 16), 8 if approved else 0):
        record = image.Record(
            *("ACCEPTED" if code == 0x51 else "INTENT", kind, 1, 1, b"", 1, 156, 1, 1, 1, 0, "476173", "0011"),
            *(approved, 0, b"", b"", (0, 1)),
        )
        name = image.MARKS.get(mark, "")
        journal = image.Journal({1: record}, dispositions={1: name} if name else {})
        if journal.state(record) == "accepted":
            assert word(record, "accepted", name) == said, (code, name)
            assert said in words["en"] and said in words["zh"]


def test_every_word_that_the_page_uses_exists() -> None:
    english = table("words-en.js")
    asked = set(re.findall(r'data-(?:t|title|label)="(\w+)"', (PAGE / "index.html").read_text()))
    for script in PAGE.glob("*.js"):
        asked |= set(re.findall(r'word\("(\w+)"', script.read_text()))
    assert len(asked) > 50
    assert asked - set(english) == set()


def test_every_card_mood_and_event_has_words() -> None:
    english, chinese = table("words-en.js"), table("words-zh.js")
    for name, entry in CATALOGUE.items():
        assert name in chinese, name
        assert entry.good or f"{name}_says" in chinese, name
    moods = re.findall(r'"([^"]+)"', "".join(re.findall(r"MOODS = \[(.*)\]", (PAGE / "world.js").read_text())))
    assert len(moods) > 5
    for mood in moods:
        parse(mood)
        assert f"mood_{mood.replace(' ', '_')}" in english
    emitted = set()
    for module in PAGE.parent.glob("*.py"):
        emitted |= set(re.findall(r'\.event\("(\w+)"', module.read_text()))
    assert len(emitted) > 5
    assert {f"event_{what}" for what in emitted} <= set(english)
