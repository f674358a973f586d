# SPDX-License-Identifier: MIT
"""docs/menu.md is what the firmware's table of menus says now."""

from tools import menu_page


def test_the_page_is_current() -> None:
    assert menu_page.PAGE.read_text("utf-8") == menu_page.text(), "run python -m tools.menu_page"
