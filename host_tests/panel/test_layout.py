# SPDX-License-Identifier: MIT
"""The page at a phone's and a desktop's width: everything is in reach, readable, and works by touch and by keyboard."""

import contextlib
from collections.abc import Iterator

import pytest

from host_tests.harness.panel.chromium import Chromium, find
from host_tests.harness.panel.page import Page
from tools.panel.server import Server

_BROWSER = find()
pytestmark = pytest.mark.skipif(
    _BROWSER is None, reason="no Chromium on this machine: the page is not tested in a browser"
)

_PHONE, _DESKTOP = (390, 844), (1280, 900)
_SCREEN = "document.querySelector('#screen-text').textContent"
_WIDER = "document.documentElement.scrollWidth > innerWidth"
# Controls that are shown but cannot be clicked even after they are scrolled to: outside the window, or covered.
_OUT_OF_REACH = """[...document.querySelectorAll('button, select, summary')].filter((e) => {
  if (!e.offsetParent || e.disabled || e.closest('dialog') || e.id === 'paper') return false; // the paper is longer than its window
  e.scrollIntoView({block: 'center', inline: 'center'});
  const b = e.getBoundingClientRect(), x = b.left + b.width / 2, y = b.top + Math.min(b.height / 2, 12);
  const top = document.elementFromPoint(x, y);
  return !top || !(e === top || e.contains(top) || top.contains(e));
}).map((e) => e.id || e.textContent || e.className)"""
_UNNAMED = """[...document.querySelectorAll('button, select, summary')].filter((e) =>
  !(e.getAttribute('aria-label') || e.title || e.textContent.trim() || e.closest('label'))).map((e) => e.outerHTML)"""
# Texts of less contrast than 4.5:1 with what is behind them. Skipped: pictures, gradients and what is switched off.
_PALE = """(() => {
  const of = (c) => (c.match(/[\\d.]+/g) ?? [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255).map((v) => (v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = (e) => {
    const layers = [];
    for (; e; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.backgroundImage !== 'none') return null;
      const [r, g, b, a = 1] = of(style.backgroundColor);
      if (a) layers.unshift([r, g, b, a]);
      if (a === 1) break;
    }
    return layers.reduce((under, [r, g, b, a]) => [r, g, b].map((v, i) => v * a + under[i] * (1 - a)), [255, 255, 255]);
  };
  return [...document.querySelectorAll('body *')].filter((e) => e.offsetParent && !e.disabled && !e.closest('svg, .hidden-text')
    && [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim())).map((e) => {
    const back = behind(e);
    if (!back) return null;
    const [a, b] = [light(of(getComputedStyle(e).color)), light(back)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    return ratio < 4.5 ? `${e.className || e.tagName} ${e.textContent.trim()} ${ratio.toFixed(2)}` : null;
  }).filter(Boolean);
})()"""


@pytest.fixture
def chromium(server: Server, page: Page) -> Iterator[Chromium]:
    """A browser with the page open and the terminal idle."""
    with Chromium(_BROWSER or "", server.address) as chromium:
        chromium.wait(f"{_SCREEN}.includes('Sell') && document.querySelectorAll('.card').length > 8")
        chromium.click("[data-language=en]")
        yield chromium
        assert chromium.errors == []


def panes(chromium: Chromium) -> list[str]:
    """The parts to look at: on a narrow window one at a time, else all at once."""
    narrow = chromium.js("getComputedStyle(document.querySelector('#panes')).display !== 'none'")
    return ["keys", "cards", "phone", "world", "host"] if narrow else ["keys"]


def open_pane(chromium: Chromium, pane: str) -> None:
    chromium.js(f"document.querySelector('[data-pane={pane}][aria-pressed=false]')?.click()")


def middle(chromium: Chromium, selector: str) -> tuple[float, float]:
    """The middle of an element, in CSS pixels of the window."""
    box = f"const b = document.querySelector('{selector}').getBoundingClientRect();"
    x, y = chromium.js(f"(() => {{ {box} return [b.left + b.width / 2, b.top + b.height / 2]; }})()")
    return x, y


@pytest.mark.parametrize("size", [_PHONE, _DESKTOP])
def test_every_control_has_a_name_and_can_be_reached(chromium: Chromium, size: tuple[int, int]) -> None:
    chromium.resize(*size)
    assert chromium.js(_UNNAMED) == []
    seen = set()
    for pane in panes(chromium):
        open_pane(chromium, pane)
        assert not chromium.js(_WIDER)
        if pane != "keys" or size == _DESKTOP:
            chromium.js("document.querySelector('.drawer').open = true")
        covered = set(chromium.js(_OUT_OF_REACH))
        if size == _PHONE and pane != "keys":  # the sheet lies over the keys: these are reached in the pane of keys
            covered -= set(
                chromium.js(
                    "[...document.querySelectorAll('.device button')].map(e => e.id || e.textContent || e.className)"
                )
            )
        assert covered == set(), pane
        seen |= set(
            chromium.js("[...document.querySelectorAll('.block')].filter(e => e.offsetParent).map(e => e.className)")
        )
    assert {
        "block wallet",
        "block purse",
        "block world",
        "block try",
        "block road",
        "block ledger",
        "block log",
    } <= seen


@pytest.mark.parametrize("size", [_PHONE, _DESKTOP])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_has_enough_contrast(chromium: Chromium, size: tuple[int, int], theme: str) -> None:
    chromium.resize(*size)
    chromium.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
    for language in ("en", "zh"):
        chromium.js(f"document.querySelector('[data-language={language}]').click()")
        for pane in panes(chromium):
            open_pane(chromium, pane)
            with contextlib.suppress(AssertionError):  # colours change gradually
                chromium.wait(f"!{_PALE}.length", 2)
            assert chromium.js(_PALE) == []


def test_a_sale_on_a_phone_by_touch_and_the_receipt_is_torn_off(chromium: Chromium) -> None:
    chromium.resize(*_PHONE)
    for key in "730E":
        chromium.click(f'[data-key="{key}"]')
    chromium.wait("document.querySelector('#reader.waiting')")
    chromium.click("[data-pane=cards]")
    start, goal = (middle(chromium, selector) for selector in ('.fan [data-card="amber"]', "#reader"))
    chromium.mouse("mousePressed", *start)
    for step in range(1, 7):
        chromium.mouse("mouseMoved", *(a + (b - a) * step / 6 for a, b in zip(start, goal, strict=True)))
    chromium.mouse("mouseReleased", *goal)
    chromium.wait("document.querySelector('.guest[data-guest=amber]')")
    chromium.wait(f"{_SCREEN}.includes('Authorisation code')")
    chromium.wait("document.querySelector('#paper:not([hidden])')?.textContent.includes('7.30')")
    chromium.js("document.querySelector('.guest').click()")
    chromium.wait("!document.querySelector('.guest')")
    torn = chromium.js("document.querySelectorAll('#torn-rows li').length")
    chromium.click("#tear")
    chromium.wait("document.querySelector('#paper').hidden")
    chromium.wait(f"document.querySelectorAll('#torn-rows li').length > {torn}")
    chromium.click("[data-pane=world]")
    chromium.wait("document.querySelector('#torn-rows').textContent.includes('¥7.30')")
    chromium.click("#torn-rows button")
    chromium.wait("document.querySelector('#receipts').open")
    assert "7.30" in chromium.js("document.querySelector('#sheet').textContent")
    assert not chromium.js(_WIDER)
    chromium.key("Escape")


def test_shortcuts_work_and_are_shown(chromium: Chromium) -> None:
    shown = chromium.js("[...document.querySelectorAll('#shortcuts kbd')].map(e => e.textContent)")
    assert {"K", "T", "W", "P", "M", "Enter", "Esc"} <= set(shown)
    chromium.key("w")
    chromium.wait("document.querySelector('[data-radio=off][aria-pressed=true]')")
    chromium.key("w")
    chromium.wait("document.querySelector('[data-radio=on][aria-pressed=true]')")
    for key in ("2", "1", "0", "Enter"):
        chromium.key(key)
    chromium.wait("document.querySelector('#reader.waiting')")
    chromium.key("k")
    chromium.wait(f"{_SCREEN}.includes('Authorisation code')")
    chromium.wait("!document.querySelector('#paper').hidden")
    chromium.key("t")
    chromium.wait("document.querySelector('#paper').hidden")
    chromium.key("Enter")
    chromium.wait(f"{_SCREEN}.includes('Sell')")
    chromium.key("p")
    chromium.wait(f"document.querySelector('#device.off') && !{_SCREEN}")
    chromium.key("p")
    chromium.wait(f"{_SCREEN}.includes('Sell') || {_SCREEN}.includes('Skip')")  # it may offer the receipt again
    chromium.key("Escape")
    chromium.wait(f"{_SCREEN}.includes('Sell')")
