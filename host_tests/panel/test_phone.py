# SPDX-License-Identifier: MIT
"""The customer's phone on the page, in a real browser: pay by each wallet's code and by each shown code, refuse, undo."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from host_tests.harness.panel.chromium import Chromium, find
from host_tests.harness.panel.page import Page
from tools import menu_keys
from tools.panel.server import Server
from tools.sim.wallets.app import MOODS

_BROWSER = find()
pytestmark = pytest.mark.skipif(
    _BROWSER is None, reason="no Chromium on this machine: the page is not tested in a browser"
)

_SCREEN = "document.querySelector('#screen-text').textContent"
_FIRST = "document.querySelector('#payments tr').textContent"
_ITEM = "document.querySelector('#app .items li').textContent"
_WALLETS = ("wechat", "alipay", "lightning")  # in the order of the till's list


@pytest.fixture
def chromium(server: Server, page: Page) -> Iterator[Chromium]:
    """A browser with the page open, the terminal idle, and every wallet in its usual mood."""
    for wallet in _WALLETS:
        page.do("phone", act="mood", wallet=wallet, mood="pays")
    with Chromium(_BROWSER or "", server.address) as chromium:
        chromium.wait(f"{_SCREEN}.includes('Sell') && document.querySelector('#phone-scan')")
        yield chromium
        assert chromium.errors == []


def keys(chromium: Chromium, keys: str, then: str) -> None:
    """Press keys of the terminal, and wait for a text on its display."""
    names = {"M": "m", "D": "ArrowDown", "E": "Enter", "C": "Escape"}
    for key in keys:
        chromium.key(names.get(key, key))
    chromium.wait(f"{_SCREEN}.includes('{then}')")


def ask_for_code(chromium: Chromium, amount: int) -> None:
    keys(chromium, menu_keys.keys_of("qr_scan"), "Pay by code: amount")
    keys(chromium, f"{amount}E", "customer")


def show_code(chromium: Chromium, wallet: str, amount: int) -> None:
    keys(chromium, menu_keys.keys_of("qr_show"), "Which wallet?")
    keys(chromium, "D" * _WALLETS.index(wallet) + "E", "Pay by code: amount")
    keys(chromium, f"{amount}E", "Please scan")
    chromium.wait("document.querySelector('#phone-scan.sees')")
    chromium.click("#phone-scan")
    chromium.wait("document.querySelector('#phone-pay')")


def hold_code(chromium: Chromium, wallet: str) -> str:
    """Show the code of a wallet and hold it to the scanner; returns its digits."""
    chromium.click(f"[data-wallet={wallet}]")
    chromium.wait(f"document.querySelector('[data-wallet={wallet}][aria-pressed=true]')")
    chromium.click("#phone-code")
    chromium.wait("document.querySelector('#phone-hold')")
    digits = chromium.js("document.querySelector('#app .digits').textContent").replace(" ", "")
    chromium.wait(f"{_SCREEN}.includes('type its digits')")  # the terminal polls its scanner now
    chromium.click("#phone-hold")
    return digits


def paid(chromium: Chromium, amount: str) -> None:
    """Paid on the terminal, in the ledger and on the phone. Goes back to the home page."""
    chromium.wait(f"{_SCREEN}.includes('Paid')", 40)
    chromium.wait(f"{_FIRST}.includes('{amount}') && {_FIRST}.includes('Approved')")
    chromium.wait(f"{_ITEM}.includes('{amount}') && {_ITEM}.includes('Paid')")
    chromium.key("Enter")
    chromium.wait(f"{_SCREEN}.includes('Sell')")


def test_each_wallets_code_pays(chromium: Chromium) -> None:
    ask_for_code(chromium, 1111)
    digits = hold_code(chromium, "wechat")
    assert len(digits) == 18 and "10" <= digits[:2] <= "15"
    paid(chromium, "¥11.11")
    ask_for_code(chromium, 1222)
    digits = hold_code(chromium, "alipay")
    assert 16 <= len(digits) <= 24 and "25" <= digits[:2] <= "30"
    paid(chromium, "¥12.22")
    chromium.click("[data-wallet=lightning]")
    chromium.wait("document.querySelector('#phone-code').disabled")


@pytest.mark.parametrize("wallet", _WALLETS)
def test_a_shown_code_is_scanned_from_the_display_and_paid(chromium: Chromium, wallet: str) -> None:
    amount = 1500 + _WALLETS.index(wallet)
    show_code(chromium, wallet, amount)
    asked = chromium.js("document.querySelector('#app').textContent")
    assert "老街茶馆" in asked and f"¥15.0{amount % 10}" in asked and (" sat" in asked) == (wallet == "lightning")
    chromium.click("#phone-pay")
    paid(chromium, f"¥15.0{amount % 10}")


def test_the_customer_refuses_and_nothing_is_paid(chromium: Chromium, page: Page) -> None:
    chromium.js("document.querySelector('[data-wallet=wechat]').click()")
    page.do("phone", act="mood", wallet="wechat", mood="asks")
    chromium.wait("document.querySelector('#phone-mood').value == 'asks'")
    ask_for_code(chromium, 1333)
    hold_code(chromium, "wechat")
    chromium.wait("document.querySelector('#phone-refuse')")
    chromium.click("#phone-refuse")
    chromium.wait(f"{_ITEM}.includes('¥13.33') && {_ITEM}.includes('Refused')")
    chromium.wait(f"{_SCREEN}.includes('Declined')", 30)
    chromium.wait(f"{_FIRST}.includes('¥13.33') && {_FIRST}.includes('Declined')")


def test_a_yes_that_comes_while_the_cashier_cancels_is_paid_once_or_not_at_all(chromium: Chromium) -> None:
    show_code(chromium, "wechat", 1444)
    chromium.key("Escape")
    chromium.click("#phone-pay")  # whoever comes first
    chromium.wait(f"{_SCREEN}.includes('E OK')", 30)
    won = chromium.js(f"{_SCREEN}.includes('Paid')")
    chromium.wait(
        f"{_FIRST}.includes('¥14.44') && ({_FIRST}.includes('Approved') || {_FIRST}.includes('Reversed'))", 30
    )
    ledger = chromium.js(f"{_FIRST}.includes('Approved')")
    assert ledger == won
    words = "Paid" if won else "Given back|Cancelled"
    chromium.wait(f"{_ITEM}.includes('¥14.44') && /{words}/.test({_ITEM})", 60)  # no undo sooner than 15 s after it


@pytest.mark.parametrize("width", [1440, 390])
def test_the_phone_fits_and_speaks_both_languages(chromium: Chromium, width: int) -> None:
    chromium.resize(width, 900)
    for language, word in (("zh", "出示付款码"), ("en", "Show my payment code")):
        chromium.click(f"[data-language={language}]")
        chromium.wait(f"document.querySelector('#phone-code').textContent == '{word}'")
        assert chromium.js("[...document.querySelectorAll('#phone-mood option')].map(one => one.value)") == list(MOODS)
        assert chromium.js(
            "[...document.querySelectorAll('.purse *')].every(e => e.scrollWidth <= e.clientWidth + 1 || !e.clientWidth)"
        )


@pytest.mark.parametrize("story", ["phone", "lightning"])
def test_a_story_pays_by_phone(chromium: Chromium, page: Page, story: str) -> None:
    before = len(page.payments)
    chromium.click(f'[data-story="{story}"]')
    chromium.wait("document.body.classList.contains('playing')")
    chromium.wait("!document.body.classList.contains('playing')", 90)
    page.wait(lambda: len(page.payments) > before and page.payments[0]["state"] == "APPROVED", "the payment")
    assert chromium.js("document.querySelector('#story-says').textContent").startswith("Done")
    assert chromium.js("document.querySelector('#app .items li').dataset.state") == "paid"
