# SPDX-License-Identifier: MIT
"""Reads the QR Code on the display from its pixels, as a customer's camera does. Empty if there is none."""

import zxingcpp
from PIL import Image

from tools.world.ili9341 import HEIGHT, WIDTH


def read(pixels: bytes) -> str:
    """The text of the code. `pixels`: RGB565 of the whole display, high byte first."""
    image = Image.frombytes("L", (WIDTH, HEIGHT), pixels[0::2])  # the high bytes tell black from white
    found = (one.text for one in zxingcpp.read_barcodes(image) if one.format == zxingcpp.BarcodeFormat.QRCode)
    return next(found, "")
