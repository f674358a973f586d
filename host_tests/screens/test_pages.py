# SPDX-License-Identifier: MIT
"""Every page in both languages, drawn by the shipped driver on the display chip and read back from its pixels."""

from functools import cache

import pytest

from tools.fonts.build import table
from tools.world import gallery, ocr

ONLINE = {"en": "{host} Online  {clock}  All sent", "zh": "{host} 在线  {clock}  已全部上送"}
OFFLINE = {
    "en": "{no wifi} Offline {clock}  12 to send ¥12,345.67",
    "zh": "{no wifi} 无网络  {clock}  待上送12笔 ¥12,345.67",
}
# page -> its contents below the top bar, as text keys or plain text
PAGES = {
    "amount_empty": ["amount_sale", "¥0.00", ("amount_limit", "¥5,000.00")],
    "amount": ["amount_sale", "¥123.45", ("amount_limit", "¥5,000.00")],
    "amount_zero": ["amount_sale", "¥0.00", "{refused} ", "amount_zero"],
    "amount_over": ["¥6,000.00", "{refused} ", ("amount_over", "¥5,000.00")],
    "amount_full": ["¥9,876,543,210.12", "{refused} ", "amount_full"],
    "amount_cleared": ["¥987.65"],
    "present": ["{tap}  ", "present", "¥123.45", "present_hint"],
    "authorising": ["{wait}  ", "authorising", "¥123.45", ("authorising_time", 7)],
    "approved": ["{ok}  ", "approved", "¥123.45", "approved_note", ("auth_code", "A1B2C3")],
    "accepted": ["{hold}  ", "accepted", "¥123.45", "accepted_note", "accepted_risk"],
    "declined": ["{refuse}  ", "declined", "¥123.45", "de39_51", ("de39_code", "51")],
    "reversing": ["{warn}  ", "reversing", "¥123.45", "reversing_note"],
    "not_taken": ["{refuse}  ", "not_taken", "not_taken_note"],
    "refused_later": ["{refuse}  ", "refused_later", "refused_later_note", ("card_digits", "4242")],
    "unresolved": ["{warn}  ", "unresolved", "unresolved_note"],
    "one_card": ["{warn}  ", "one_card", "one_card_hint", "key_retry", "key_cancel"],
    "limit": ["{refuse}  ", "limit_title", ("limit_sum", "¥20.00", "¥1,000.00"), "limit_how"],
    "fate": [
        "{hold}  ",
        "restart_title",
        ("restart_last", "¥123.45"),
        "restart_accepted",
        "restart_receipt",
        "key_print",
    ],
    "settle_confirm": ["{ask}  ", "settle_confirm", ("settle_batch", "000017"), ("settle_counts", 42, "¥12,345.00")],
    "balanced": ["{ok}  ", "settle_balanced", "¥12,345.00"],
    "fault_key": ["{refuse}  ", "fault_title", "fault_key_unknown"],
    "menu": ["menu", "1/8", "1  ", "sale", "4  ", "queue", "E ", "key_open", "↑↓ ", "key_choose"],
    "menu_page_2": ["6/8", "5  ", "settle", "8  ", "change_language"],
    "queue": ["queue", "1/9", "14:00 *4242  ¥12.50", "14:05 *4247  ¥75.00"],
    "queue_page_2": ["8/9", "14:07 *4249  ¥100.00"],
    "queue_empty": ["list_empty", "key_back"],
    "about": ["about_title", "about_version", "0.1.0"],
    "code": ["{lock}  ", "code_title", "{dot}  {dot}", ("code_hint", 6)],
}


@cache
def pages(language: str) -> dict[str, list[str]]:
    return {name: ocr.read(pixels) for name, pixels, _ in gallery.pages(language)}


@pytest.mark.parametrize("language", gallery.LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_its_texts_in_order(language: str, page: str) -> None:
    lines, words = pages(language)[page], table(language)
    rest = "\n".join(lines)
    for part in PAGES[page]:
        text = words[part[0]] % part[1:] if isinstance(part, tuple) else words.get(part, part)
        assert text in rest, lines
        rest = rest[rest.index(text) + len(text) :]  # in this order


@pytest.mark.parametrize("language", gallery.LANGUAGES)
def test_the_top_bar_is_on_every_page(language: str) -> None:
    network = tuple("{%s} " % mark for mark in ("no wifi", "wifi", "busy", "host"))
    for name, lines in pages(language).items():
        assert lines[0].startswith(network) and "{clock" in lines[0], name
    assert pages(language)["approved"][0] == ONLINE[language]
    assert pages(language)["accepted"][0] == OFFLINE[language]
    assert "{reversal}" in pages(language)["not_taken"][0]
    assert "{refused}" in pages(language)["refused_later"][0]
    assert "{clock?}" in pages(language)["home_offline"][0]


@pytest.mark.parametrize("language", gallery.LANGUAGES)
def test_no_page_shows_a_key_instead_of_a_text(language: str) -> None:
    text = "\n".join(line for lines in pages(language).values() for line in lines)
    assert not [key for key in table(language) if "_" in key and key in text]


def test_the_screen_reader_finds_no_text_where_there_is_none() -> None:
    """On a blank screen and on noise."""
    assert ocr.read(bytes(2 * 320 * 240)) == []
    noise = bytes((i * 2654435761 >> 7) & 255 for i in range(2 * 320 * 240))
    assert ocr.read(noise) == []
