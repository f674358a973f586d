# SPDX-License-Identifier: MIT
"""The display as sent to the page: bands of changed rows. Wire format: first row, number of rows, RGB565 pixels."""

from tools.world.ili9341 import HEIGHT, WIDTH

_ROW = 2 * WIDTH


class Picture:
    """Remembers the last picture sent."""

    def __init__(self) -> None:
        self._sent = b""

    def update(self, pixels: bytes) -> tuple[bytes, bytes] | None:
        """(the changed band, the whole picture as a band), or None if nothing changed. Pixels: high byte first."""
        if pixels == self._sent:
            return None
        top, bottom = 0, HEIGHT
        if self._sent:
            while _row(pixels, top) == _row(self._sent, top):
                top += 1
            while _row(pixels, bottom - 1) == _row(self._sent, bottom - 1):
                bottom -= 1
        self._sent = pixels
        whole = bytes((0, HEIGHT)) + pixels
        return bytes((top, bottom - top)) + pixels[top * _ROW : bottom * _ROW], whole


def _row(pixels: bytes, row: int) -> bytes:
    return pixels[row * _ROW : (row + 1) * _ROW]
