# SPDX-License-Identifier: MIT
"""ST7789V TFT controller, 320x240 landscape: as the ILI9341, except for what is set up after a reset.

Numbers in brackets are clauses of the ST7789V datasheet V1.4. A board that has it imports it in place of ILI9341, and
lists it in kassa/overlay.py.
"""

from kassa.drivers.ili9341 import ILI9341


class ST7789(ILI9341):
    """Arguments: see ILI9341. For an IPS panel, which needs its colours inverted; a TN panel needs 20 in place of 21."""

    SETUP = (
        b"\x36\x01\x60"  # memory access: row and column exchanged, columns mirrored (landscape), RGB [9.1.28]
        b"\x3a\x01\x55"  # 16 bits per pixel [9.1.32]
        b"\xb2\x05\x0c\x0c\x00\x33\x33"  # porch [9.2.3]
        b"\xc6\x01\x0f"  # frame rate 60 Hz [9.2.18]
        b"\x21\x00"  # inversion on [9.1.19]
    )
