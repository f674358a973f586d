# SPDX-License-Identifier: MIT
"""The pages in a real browser: log in, find a payment, read its history, export, change the language, log out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from host_tests.harness.host import month
from host_tests.harness.host.terminal import Record
from host_tests.harness.panel.chromium import Chromium, find
from host_tests.host_page.conftest import PASSWORD, Busy

_BROWSER = find()
pytestmark = pytest.mark.skipif(
    _BROWSER is None, reason="no Chromium on this machine: the host's pages are not tested in a browser"
)

_SAYS = "document.querySelector('main').innerText"
_WIDER = "document.documentElement.scrollWidth > innerWidth"
_SPILLS = (  # parts of a block that stick out of it, apart from tables, which scroll in their block
    "[...document.querySelectorAll('.block *, .tile *')].filter(e => !e.closest('.scroll') && !e.closest('svg')"
    " && !e.closest('.hidden-text')"
    " && e.getBoundingClientRect().right > e.closest('.block, .tile').getBoundingClientRect().right + 1)"
    ".map(e => e.tagName + '.' + e.className).join()"
)
_UNNAMED = (  # controls that a screen reader cannot name
    "[...document.querySelectorAll('input:not([type=hidden]), select, button, a')]"
    ".filter(e => !(e.labels && e.labels.length) && !e.getAttribute('aria-label') && !e.innerText.trim())"
    ".map(e => e.outerHTML).join()"
)
PATHS = ["/", "/payments", "/batches", "/batches/KASSA001/1/000003", "/terminals", "/terminals/KASSA001", "/days", "/books",
         "/audit", "/users", "/nothing"]  # fmt: skip

_PALE = """(() => { const lum = c => { const v = c.match(/[\\d.]+/g).slice(0, 3).map(x => x / 255)
        .map(x => x <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4); return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; };
      const back = e => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor;
        if (!/, 0\\)$/.test(c) && c != 'transparent') return c; } return 'rgb(255, 255, 255)'; };
      return [...document.querySelectorAll('main *, header *, footer')].filter(e => !e.closest('svg') && [...e.childNodes]
        .some(n => n.nodeType == 3 && n.data.trim()) && e.getClientRects().length).map(e => {
        const [a, b] = [lum(getComputedStyle(e).color), lum(back(e))].sort((x, y) => y - x);
        return [(a + .05) / (b + .05), e.className + ' ' + e.innerText.slice(0, 20)]; }).filter(([r]) => r < 4.5)
        .map(([r, t]) => r.toFixed(2) + ' ' + t).join('; '); })()"""  # text whose contrast is below WCAG 2 level AA


@pytest.fixture(scope="module")
def browser(url: str, made: dict[str, Record]) -> Iterator[Chromium]:
    with Chromium(_BROWSER or "", url, 1160, 800) as browser:
        yield browser


@pytest.fixture
def page(browser: Chromium, url: str) -> Iterator[Chromium]:
    """The browser at the login page, without cookies."""
    browser.call("Network.clearBrowserCookies")
    browser.resize(1160, 800)
    go(browser, url + "/login?lang=en")
    browser.wait("document.querySelector('#password')")
    browser.errors.clear()
    yield browser
    assert [error for error in browser.errors if "status of 40" not in error] == []  # a refused login is a 401


def go(page: Chromium, address: str) -> None:
    page.call("Page.navigate", url=address)
    page.wait("document.readyState == 'complete' && document.querySelector('footer')")


def type_in(page: Chromium, selector: str, text: str) -> None:
    """Type into a field as a keyboard would."""
    page.js(f"document.querySelector({json.dumps(selector)}).focus()")
    page.js(f"document.querySelector({json.dumps(selector)}).select?.()")
    page.call("Input.insertText", text=text)


def log_in(page: Chromium, name: str = "Wang", merchant: str = month.MERCHANT, password: str = PASSWORD) -> None:
    type_in(page, "#name", name)
    type_in(page, "#password", password)
    type_in(page, "#merchant", merchant)
    page.click("form .primary")


def test_a_merchant_logs_in_and_out(page: Chromium, url: str) -> None:
    log_in(page)
    page.wait("document.querySelector('.tiles')")
    assert "The books agree" in page.js(_SAYS) and month.MERCHANT in page.js("document.querySelector('.who').innerText")
    assert page.js("document.cookie") == "", "no script may read the session"
    page.click(".out")
    page.wait("document.querySelector('#password')")
    go(page, url + "/payments")
    page.wait("location.pathname == '/login'")


def test_a_wrong_password_is_told_and_can_be_corrected(page: Chromium) -> None:
    log_in(page, password="wrong wrong wrong")
    page.wait("document.querySelector('[role=alert]')")
    assert "Name or password is wrong." in page.js(_SAYS)
    assert page.js("document.querySelector('#name').value") == "Wang", "only the password is asked for again"
    type_in(page, "#password", PASSWORD)
    page.click("form .primary")
    page.wait("document.querySelector('.tiles')")


def test_a_payment_is_found_and_its_history_read(page: Chromium, made: dict[str, Record]) -> None:
    log_in(page)
    page.wait("document.querySelector('.tiles')")
    page.click(".pages a[href='/payments']")
    page.wait("document.querySelector('input[type=search]')")
    type_in(page, "input[type=search]", "27.00")
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r")
    page.wait("location.search.includes('27.00') && document.querySelectorAll('.payments tbody tr').length >= 1")
    page.wait(f"document.querySelector('.payments tbody a[href*=\"{made['reversed'].uid.hex()}\"]')")
    page.click(f".payments tbody a[href*='{made['reversed'].uid.hex()}']")
    page.wait("document.querySelector('.life')")
    said = page.js(_SAYS)
    assert "Reversed: ¥27.00 taken back on the books" in said and "On the books" in said


def test_the_list_is_filtered(page: Chromium, url: str) -> None:
    log_in(page)
    page.wait("document.querySelector('.tiles')")
    go(page, url + "/payments")
    page.click(".filters summary")
    page.wait("document.querySelector('select[name=state]').offsetParent")
    page.js("document.querySelector('select[name=state]').value = 'refused_later'")
    page.click(".filters .primary")
    page.wait("location.search.includes('refused_later') && document.querySelector('.payments')")
    states = page.js("[...document.querySelectorAll('.payments .pill')].map(e => e.innerText).join()")
    assert states == "Refused later"
    assert page.js("document.querySelector('.filters details').open"), "what is set stays in sight"


def test_the_export_is_downloaded(page: Chromium, url: str, tmp_path: Path) -> None:
    log_in(page)
    page.wait("document.querySelector('.tiles')")
    go(page, url + "/payments?kind=cash")
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.click("a[href^='/payments.csv']")
    deadline = 200
    while not (files := list(tmp_path.glob("*.csv"))) and deadline:
        page.js("new Promise(done => setTimeout(done, 50))")
        deadline -= 1
    lines = files[0].read_text("utf-8-sig").splitlines()
    assert lines[0].startswith("Time,Terminal,Merchant,Kind,Amount") and len(lines) > 5
    assert all(",Cash sale," in line for line in lines[1:])


def test_the_language_stays_as_chosen(page: Chromium, url: str) -> None:
    page.click(".languages a[lang=zh]")
    page.wait("document.documentElement.lang == 'zh-CN'")
    log_in(page)
    page.wait("document.querySelector('.tiles')")
    go(page, url + "/payments")
    assert page.js("document.documentElement.lang") == "zh-CN" and "导出 CSV" in page.js(_SAYS)
    page.click(".languages a[lang=en]")
    page.wait("document.documentElement.lang == 'en'")
    assert "Export CSV" in page.js(_SAYS)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("width", [360, 768, 1160])
def test_nothing_is_wider_than_a_phone_or_sticks_out(
    page: Chromium, url: str, made: dict[str, Record], width: int, language: str
) -> None:
    log_in(page, "Chen", "")
    page.wait("document.querySelector('.tiles')")
    page.resize(width, 740)
    for path in (*PATHS, f"/payments/KASSA001/{made['void'].uid.hex()}", "/payments?kind=void", "/login"):
        go(page, f"{url}{path}{'&' if '?' in path else '?'}lang={language}")
        assert not page.js(_WIDER), path
        assert page.js(_SPILLS) == "", path
        assert page.js(_UNNAMED) == "", path
        assert page.js("document.querySelectorAll('h1').length") == 1, path


@pytest.mark.parametrize("language", ["en", "zh"])
def test_pages_about_money_and_comebacks_fit_and_can_be_read(page: Chromium, busy: Busy, language: str) -> None:
    held = busy.of.held[0].uid.hex()
    paths = ["/settlements", f"/settlements/{month.MERCHANT}/{busy.of.days[-2]}", "/differences", "/disputes",
             "/terminals/KASSA001", f"/terminals/KASSA001/held/{held}", "/terminals/KASSA001/hand-ins/1"]  # fmt: skip
    go(page, f"{busy.url}/login?lang={language}")
    log_in(page, "Li", "")
    page.wait("document.querySelector('.tiles')")
    go(page, busy.url + "/differences")
    paths.append(page.js("document.querySelector('.differences tbody a').getAttribute('href')"))
    try:
        for width, scheme in ((360, "light"), (390, "dark"), (1160, "light"), (1160, "dark")):
            page.resize(width, 740)
            page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            for path in paths:
                go(page, busy.url + path)
                for check in (_SPILLS, _UNNAMED, _PALE):
                    assert page.js(check) == "", (width, scheme, path)
                assert not page.js(_WIDER), (width, path)
                assert page.js("document.querySelectorAll('h1').length") == 1, path
                is_list = page.js("!!document.querySelector('.pages [aria-current]')")
                assert is_list, "the page says where it is"
    finally:
        page.call("Emulation.setEmulatedMedia", features=[])


def test_an_operator_explains_a_difference_and_settles_a_held_payment(page: Chromium, busy: Busy) -> None:
    go(page, f"{busy.url}/login?lang=en")
    log_in(page, "Li", "")
    page.wait("document.querySelector('.tiles')")
    page.click(".pages a[href='/differences']")
    page.wait("document.querySelector('.differences')")
    page.click(".differences tbody tr:first-child a")
    page.wait("document.querySelector('input[name=why]')")
    type_in(page, "input[name=why]", "the tip was told late")
    page.click(".decide .primary")
    page.wait("document.querySelector('.done')")
    said = page.js(_SAYS)
    assert "The difference is explained." in said and "the tip was told late" in said
    go(page, f"{busy.url}/terminals/KASSA001/held/{busy.of.held[0].uid.hex()}")
    type_in(page, "input[name=why]", "the acquirer has it as paid")
    page.click(".decide .primary")
    page.wait("document.querySelector('.done')")
    said = page.js(_SAYS)
    assert "The held payment is settled." in said and "Settled by an operator" in said


def test_the_pages_are_worked_by_keyboard(page: Chromium) -> None:
    log_in(page)
    page.wait("document.querySelector('.tiles')")

    def tab() -> None:
        page.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", code="Tab", windowsVirtualKeyCode=9)

    tab()
    assert page.js("document.activeElement.className") == "skip"
    assert page.js("document.activeElement.getBoundingClientRect().top") >= 0, "it is seen when it has the focus"
    seen = []
    for _ in range(40):
        tab()
        seen.append(page.js("document.activeElement.getAttribute('href') || document.activeElement.tagName"))
        if page.js("document.activeElement.closest('main') && true"):
            assert page.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert {"/", "/payments", "/days", "/books", "SUMMARY"} <= set(seen)


def test_dark_and_light_have_readable_contrast(page: Chromium, url: str) -> None:
    log_in(page)
    page.wait("document.querySelector('.tiles')")
    try:
        for scheme in ("light", "dark"):
            page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            for path in ("/", "/payments", "/terminals/KASSA001"):
                go(page, url + path)
                assert page.js(_PALE) == "", (scheme, path)
    finally:
        page.call("Emulation.setEmulatedMedia", features=[])


def test_the_checks_notice_what_is_wrong(page: Chromium) -> None:
    assert page.js(_SPILLS) == page.js(_UNNAMED) == page.js(_PALE) == ""
    page.js("document.querySelector('.login h1').style.cssText = 'width: 900px; color: #ccc'")
    page.js("document.querySelector('label').remove()")
    assert "H1" in page.js(_SPILLS) and "Log in" in page.js(_PALE) and 'id="name"' in page.js(_UNNAMED)
