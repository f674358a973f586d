# SPDX-License-Identifier: MIT
"""The page in a real browser: a sale by mouse and keyboard, both languages, four widths."""

from collections.abc import Iterator

import pytest

from host_tests.harness.panel.chromium import Chromium, find
from host_tests.harness.panel.page import Page
from tools.panel.server import Server

_BROWSER = find()
pytestmark = pytest.mark.skipif(
    _BROWSER is None, reason="no Chromium on this machine: the page is not tested in a browser"
)

_SCREEN = "document.querySelector('#screen-text').textContent"
_FIRST = "document.querySelector('#payments tr').textContent"
_WIDER = "document.documentElement.scrollWidth > innerWidth"
_SPILLS = (
    "[...document.querySelectorAll('.block')].filter(e => e.scrollWidth > e.clientWidth + 1 && !e.querySelector('.on-reader'))"
    ".map(e => e.className).join()"
)


@pytest.fixture
def chromium(server: Server, page: Page) -> Iterator[Chromium]:
    """A browser with the page open and the terminal idle."""
    with Chromium(_BROWSER or "", server.address) as chromium:
        chromium.wait(f"{_SCREEN}.includes('Sell') && document.querySelectorAll('.card').length > 8")
        yield chromium
        assert chromium.errors == []


def test_a_sale_reaches_screen_ledger_and_paper(chromium: Chromium) -> None:
    rows = chromium.js("document.querySelectorAll('#payments tr').length")
    chromium.click('[data-key="4"]')
    chromium.wait(f"{_SCREEN}.includes('¥0.04')")
    for key in ("5", "6", "0", "Backspace"):
        chromium.key(key)
    chromium.wait(f"{_SCREEN}.includes('¥4.56')")
    chromium.key("Enter")
    chromium.wait("document.querySelector('#reader.waiting')")
    chromium.click('[data-card="lotus"]', 0.5, 0.1)
    chromium.wait("document.querySelector('[data-card=lotus].on-reader')")
    chromium.wait(f"{_SCREEN}.includes('Authorisation code')")
    chromium.wait(f"document.querySelectorAll('#payments tr').length == {rows + 1}")
    chromium.wait(f"{_FIRST}.includes('Approved')")  # the page may still show the state before the answer
    assert "¥4.56" in chromium.js(_FIRST)
    chromium.wait("document.querySelector('#paper').textContent.includes('4.56')")
    chromium.wait("!document.querySelector('.on-reader')")
    lit = "(() => { const d = document.querySelector('#display').getContext('2d').getImageData(0, 0, 960, 720).data;"
    assert chromium.js(f"{lit} return new Set(new Uint32Array(d.buffer)).size; }})()") > 8  # colours on the display
    chromium.key("Enter")
    chromium.wait(f"{_SCREEN}.includes('Sell')")


@pytest.mark.parametrize(
    "minor, written", [(0, "¥0.00"), (7, "¥0.07"), (123456, "¥1,234.56"), (-1250, "-¥12.50"), (-5, "-¥0.05")]
)
def test_amounts_are_formatted_as_on_the_terminal(chromium: Chromium, minor: int, written: str) -> None:
    assert chromium.js(f"import('/page/words.js').then(words => words.money({minor}))") == written


def test_a_card_can_be_dragged_and_left_on_the_reader(chromium: Chromium) -> None:
    box = "document.querySelector('%s').getBoundingClientRect()"
    top = "(() => { const box = %s; return [box.left + box.width / 2, box.top + 12]; })()"
    start, goal = chromium.js(top % (box % '[data-card="ink"]')), chromium.js(top % (box % "#reader"))
    chromium.mouse("mousePressed", *start)
    for step in range(1, 9):
        chromium.mouse("mouseMoved", *(a + (b - a) * step / 8 for a, b in zip(start, goal, strict=True)))
    chromium.mouse("mouseReleased", *goal)
    chromium.wait("document.querySelector('[data-card=ink].on-reader:not(.held)')")
    for key in ("3", "0", "0", "Enter"):
        chromium.key(key)
    chromium.wait(f"{_SCREEN}.includes('Authorisation code')")
    chromium.wait("document.querySelector('[data-card=ink].on-reader')")  # it stays on the reader
    chromium.js("document.querySelector('[data-card=ink]').getAnimations().forEach(one => one.finish())")
    chromium.click('[data-card="ink"]')
    chromium.wait("!document.querySelector('.on-reader')")


@pytest.mark.parametrize("width", [1440, 1024, 600, 390])
def test_the_page_fits_the_width_in_both_languages(chromium: Chromium, width: int) -> None:
    chromium.resize(width, 900)
    for language, word in (("zh", "主机账本"), ("en", "Host ledger")):
        chromium.click(f"[data-language={language}]")
        chromium.wait(f"document.querySelector('.ledger h2').textContent.includes('{word}')")
        assert not chromium.js(_WIDER)
        assert chromium.js(_SPILLS) == ""


def test_a_story_plays_to_its_end(chromium: Chromium, page: Page) -> None:
    before = len(page.payments)
    chromium.click('[data-story="decline"]')
    chromium.wait("document.body.classList.contains('playing')")
    chromium.wait("!document.body.classList.contains('playing')", 60)
    page.wait(lambda: len(page.payments) > before and page.payments[0]["code"] == "51", "the refusal in the ledger")
    chromium.wait(f"{_SCREEN}.includes('Not enough funds')")
