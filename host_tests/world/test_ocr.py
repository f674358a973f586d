# SPDX-License-Identifier: MIT
"""The screen reader finds text where there is some, and only there. The scenes test what it reads."""

from tools.world import ocr


def test_it_finds_no_text_where_there_is_none() -> None:
    """On a blank screen and on noise."""
    assert ocr.read(bytes(2 * 320 * 240)) == []
    noise = bytes((i * 2654435761 >> 7) & 255 for i in range(2 * 320 * 240))
    assert ocr.read(noise) == []
