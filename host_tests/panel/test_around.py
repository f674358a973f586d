# SPDX-License-Identifier: MIT
"""The world around the terminal on the panel: its clock, slow and broken lines, its paper, and its staff's codes."""

import datetime
import re
from importlib import import_module
from pathlib import Path

import pytest

from host_tests.harness.panel.page import Page
from tools import terminal_words
from tools.cards.catalogue import CATALOGUE
from tools.panel import cards
from tools.panel.shop_clock import ShopClock
from tools.panel.simulation import Simulation


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_has_the_terminals_own_words(language: str) -> None:
    found = terminal_words.words()[language]
    for table in ("", "setup_", "receipt_"):
        for line in import_module(f"kassa.screens.texts.{table}{language}").TABLE.strip().splitlines():
            key, equals, text = line.partition("=")
            assert not equals or found[key] == text
    assert found["approved_card"] == {"en": "Approved offline", "zh": "脱机批准"}[language]


def test_every_way_through_the_menu_has_words_and_keys() -> None:
    words, entries = terminal_words.words(), terminal_words.menu()
    assert len(entries) > 30
    for entry, way in entries.items():
        assert way["path"][-1] == entry and len(way["keys"]) == len(way["path"])
        assert all(key in words[language] for key in way["path"] for language in words)


def test_every_good_card_says_what_becomes_of_a_small_sale_offline() -> None:
    said = {card["name"]: card["offline"] for card in cards.drawn() if card["good"]}
    assert set(said) == {name for name, entry in CATALOGUE.items() if entry.good}
    assert said["maple"] == "approved_card" and said["jade"] == "accepted"


def test_the_shop_clock_is_kept_and_morning_is_at_nine(tmp_path: Path) -> None:
    clock = ShopClock(tmp_path / "clock")
    clock.advance(clock.until_morning())
    assert abs(clock.now().replace(hour=9, minute=0, second=0) - clock.now()) < datetime.timedelta(minutes=1)
    again = ShopClock(tmp_path / "clock")
    assert abs(again.now() - clock.now()) < datetime.timedelta(seconds=5)


def test_the_terminals_clock_moves_with_the_shops(page: Page) -> None:
    before = datetime.datetime.fromisoformat(page.topics["world"]["clock"])
    page.do("clock", hours=24)
    page.wait(
        lambda: page.topics["world"]["clock"] >= (before + datetime.timedelta(hours=24)).isoformat()[:16], "a day"
    )
    page.rest()
    paper = len(page.topics.get("paper", []))
    page.keys("640E")
    page.wait(lambda: page.topics["world"]["waiting"], "the reader")
    page.do("tap", card="jade")
    page.wait_screen("Authorisation code")
    page.wait(lambda: len(page.topics.get("paper", [])) > paper, "the receipt")
    printed = " ".join(line["text"] for line in page.topics["paper"][-1]["lines"])
    dated = re.search(r"\d{4}-\d\d-\d\d", printed)
    assert dated and dated[0] >= (before + datetime.timedelta(hours=24)).date().isoformat()
    assert page.payments[0]["received"][:10] >= (before + datetime.timedelta(hours=23)).date().isoformat()


def test_a_slow_line_still_sells_and_a_broken_one_is_made_good(page: Page, simulation: Simulation) -> None:
    page.do("radio", state="slow")
    page.wait(lambda: page.topics["world"]["radio"] == "slow", "slowness")
    page.do("line", bytes=100)
    page.wait(lambda: page.topics["world"]["line_cut"], "the order")
    page.do("radio", state="on")
    page.wait(lambda: page.topics["world"]["radio"] == "on", "speed")
    assert simulation.system.world.radio.delay_ms == 0
    page.keys("820E")
    page.wait(lambda: page.topics["world"]["waiting"], "the reader")
    page.do("tap", card="jade")
    page.wait(lambda: not page.topics["world"]["line_cut"], "the break", 60)
    page.wait(
        lambda: (
            page.topics["till"]["last"]["amount"] == 820
            and page.topics["till"]["last"]["state"] in ("settled", "reversed")
        ),
        "what became of it",
        90,
    )
    page.rest()
    approved = [payment["amount"] for payment in page.payments if payment["state"] == "APPROVED"]
    assert approved.count(820) == (page.topics["till"]["last"]["state"] == "settled")


def test_paper_hangs_until_it_is_torn_off(page: Page) -> None:
    paper = len(page.topics.get("paper", []))
    page.keys("450E")
    page.wait(lambda: page.topics["world"]["waiting"], "the reader")
    page.do("tap", card="lotus")
    page.wait(lambda: len(page.topics.get("paper", [])) > paper, "the receipt")
    assert not page.topics["paper"][-1]["torn"]
    page.do("tear_off")
    page.wait(lambda: all(piece["torn"] for piece in page.topics["paper"]), "the tear")
    page.do("tear_off")  # nothing hangs there now
    page.wait(lambda: [e["what"] for e in page.events].count("torn") == 1, "one event")


@pytest.mark.parametrize(
    "message",
    [
        {"do": "clock"}, {"do": "clock", "hours": 0}, {"do": "clock", "hours": -1}, {"do": "clock", "hours": 25},
        {"do": "clock", "hours": True}, {"do": "clock", "until": "never"}, {"do": "line"}, {"do": "line", "bytes": -1},
        {"do": "line", "bytes": "9"}, {"do": "line", "bytes": 10**9},
    ],
)  # fmt: skip
def test_refuses_impossible_times_and_lines(page: Page, message: object) -> None:
    page.topics.pop("error", None)
    page.send(message)
    page.wait(lambda: "error" in page.topics, "a refusal")


def test_a_shop_without_staff_has_no_note(page: Page) -> None:
    assert page.topics["shop"]["staff"] == []
