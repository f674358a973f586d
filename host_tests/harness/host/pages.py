# SPDX-License-Identifier: MIT
"""Reads the host's pages as a person would."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import httpx

LogIn = Callable[[str], httpx.Client]  # logs a user in, by name


def text(page: httpx.Response) -> str:
    """What a page says, without markup."""
    assert page.status_code == 200, page.text
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2])).split())


def rows(page: httpx.Response) -> list[str]:
    """The uids of the payments that a page lists, in order."""
    found = re.findall(r'<td class="time"><a href="/payments/\w{8}/([0-9a-f]{32})">', page.text)
    assert page.status_code == 200
    return found
