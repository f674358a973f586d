# SPDX-License-Identifier: MIT
"""The display driver on the virtual controller: windows, colours, and commands that the chip refuses."""

import io

import pytest
from PIL import Image

from tools.world.ili9341 import ILI9341


def picture(chip: ILI9341) -> Image.Image:
    return Image.open(io.BytesIO(chip.png()))


def test_rectangles_have_the_right_place_and_colour(run_script) -> None:
    world = run_script("""
        from board import Board
        display = Board().display
        display.start()
        display.fill(0, 0, 10, 5, 0x00F8)       # red, bytes swapped
        display.fill(310, 230, 10, 10, 0xE007)  # green
        display.window(100, 50, 2, 2)
        display.write(b"\\x00\\x1f\\xff\\xff")   # blue, white ...
        display.write(b"\\xff\\xff\\x00\\x1f")   # ... the chip was deselected in between
        for bad in ((-1, 0, 1, 1), (0, 0, 321, 1), (319, 0, 2, 1), (0, 239, 1, 2), (0, 0, 0, 1)):
            try:
                display.window(*bad)
            except ValueError:
                print("refused")
    """)
    world.wait_off()
    image = picture(world.chips.display)
    assert image.size == (320, 240)
    assert image.getpixel((0, 0)) == image.getpixel((9, 4)) == (255, 0, 0)
    assert image.getpixel((10, 4)) == image.getpixel((9, 5)) == (0, 0, 0)
    assert image.getpixel((310, 230)) == image.getpixel((319, 239)) == (0, 255, 0)
    assert [image.getpixel((x, y)) for y in (50, 51) for x in (100, 101)] == [
        (0, 0, 255), (255, 255, 255), (255, 255, 255), (0, 0, 255),
    ]  # fmt: skip
    assert image.getpixel((102, 50)) == (0, 0, 0)
    assert world.console.count("refused") == 5


def command(chip: ILI9341, code: int, data: bytes = b"") -> None:
    chip.pin("dc", 0)
    chip.transfer(bytes((code,)))
    chip.pin("dc", 1)
    if data:
        chip.transfer(data)


def test_the_chip_is_dark_until_sleep_out_and_display_on() -> None:
    chip = ILI9341()
    command(chip, 0x36, b"\x28")
    command(chip, 0x3A, b"\x55")
    command(chip, 0x2C, b"\xff\xff" * 320 * 240)
    assert set(chip.pixels) == {0}
    command(chip, 0x11)
    command(chip, 0x29)
    assert set(chip.pixels) == {255}
    chip.pin("rst", 0)
    assert set(chip.pixels) == {0}


def test_the_chip_reports_driver_mistakes() -> None:
    chip = ILI9341()
    with pytest.raises(ValueError, match="address window"):
        command(chip, 0x2A, b"\x00\x00\x01\x40")
    with pytest.raises(ValueError, match="16 bits"):
        command(chip, 0x2C, b"\x00\x00")
    command(chip, 0x36, b"\x28")
    command(chip, 0x3A, b"\x55")
    command(chip, 0x2C, b"\x00")
    with pytest.raises(ValueError, match="half a pixel"):
        command(chip, 0x2A)


def test_the_chip_reports_commands_sent_too_soon() -> None:
    chip = ILI9341()
    chip.tick(1000)
    chip.pin("rst", 0)
    with pytest.raises(ValueError, match="too soon"):
        command(chip, 0x36, b"\x28")
    chip.tick(1006)
    command(chip, 0x36, b"\x28")
    with pytest.raises(ValueError, match="woken too soon"):
        command(chip, 0x11)
    chip.tick(1120)
    command(chip, 0x11)
    with pytest.raises(ValueError, match="too soon"):
        command(chip, 0x29)
    chip.tick(1125)
    command(chip, 0x29)
    assert chip.on and not chip.asleep
