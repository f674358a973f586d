# SPDX-License-Identifier: MIT
"""The display drivers on the virtual controllers: windows, colours, and commands that the chips refuse."""

import io
from textwrap import dedent

import pytest
from PIL import Image

from tools.world.ili9341 import ILI9341, ST7789

DISPLAY = """
import wiring
from kassa.drivers.esp32_board import output
from kassa.drivers.{0} import {1} as Driver
from machine import SPI
pins = wiring.DISPLAY_CS, wiring.DISPLAY_DC, wiring.DISPLAY_RST, wiring.DISPLAY_LIGHT
display = Driver(SPI(wiring.DISPLAY_SPI, 40000000), *[output(pin) for pin in pins])
"""
CHIPS = {"ili9341": ILI9341, "st7789": ST7789}


def picture(chip: ILI9341) -> Image.Image:
    return Image.open(io.BytesIO(chip.png()))


@pytest.fixture(params=CHIPS)
def draw(request: pytest.FixtureRequest, new_world):
    """Runs a script with `display`, the driver of either chip, on a board that has this chip."""

    def run(script: str):
        chip = CHIPS[request.param]
        world = new_world(DISPLAY.format(request.param, chip.__name__) + dedent(script))
        world.chips.replace_display(chip())
        world.power_on()
        world.wait_off()
        return world

    return run


def test_rectangles_have_the_right_place_and_colour(draw) -> None:
    world = draw("""
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


@pytest.mark.parametrize(("loading_ms", "least", "most"), [(0, 100, 125), (100, 5, 25), (500, 5, 5)])
def test_what_is_loaded_after_the_reset_shortens_the_wait(draw, loading_ms: int, least: int, most: int) -> None:
    """The chip refuses to be woken within 120 ms of its reset (test_the_chip_reports_commands_sent_too_soon)."""
    world = draw(f"""
        import time
        display.reset()
        time.sleep_ms({loading_ms})
        waits, sleep_ms = [], time.sleep_ms
        time.sleep_ms = lambda ms: waits.append(ms) or sleep_ms(ms)
        display.start()
        from kassa.drivers import display_probe
        print("waited", sum(waits), display_probe.answers(display))
        waits.clear()
        display.start()  # once more: it resets the chip itself
        print(sum(waits), display_probe.answers(display))
    """)
    waited, answers, again, still = world.console.split("waited")[1].split()[:4]
    assert least <= int(waited) <= most and answers == still == "True"
    assert 100 <= int(again) <= 126


def test_a_chip_set_up_again_shows_the_same_picture(draw) -> None:
    world = draw("""
        display.start()
        display.fill(0, 0, 10, 5, 0x00F8)
        display.restore()
    """)
    image = picture(world.chips.display)
    assert image.getpixel((0, 0)) == (255, 0, 0) and image.getpixel((319, 239)) == (0, 0, 0)


@pytest.mark.parametrize(
    ("setup", "corner", "colour"),
    [
        (b"\x60\x21", (0, 0), (255, 0, 0)),
        (b"\x60\x20", (0, 0), (0, 255, 255)),  # not inverted
        (b"\x68\x21", (0, 0), (0, 0, 255)),  # red and blue exchanged
        (b"\x20\x21", (0, 239), (255, 0, 0)),  # mirrored
        (b"\xa0\x21", (319, 239), (255, 0, 0)),  # upside down
    ],
)
def test_a_wrong_setup_shows_on_the_panel(setup: bytes, corner: tuple[int, int], colour: tuple[int, int, int]) -> None:
    chip = ST7789()
    command(chip, 0x36, setup[:1])
    command(chip, 0x3A, b"\x55")
    command(chip, setup[1])
    command(chip, 0x2C, b"\xf8\x00" + bytes(2 * 320 * 240 - 2))
    command(chip, 0x11)
    command(chip, 0x29)
    assert picture(chip).getpixel(corner) == colour


def command(chip: ILI9341, code: int, data: bytes = b"") -> None:
    chip.pin("dc", 0)
    chip.transfer(bytes((code,)))
    chip.pin("dc", 1)
    if data:
        chip.transfer(data)


PROBE = """
    from kassa.drivers import display_probe
    print("before", display_probe.answers(display))
    display.start()
    print("after", display_probe.answers(display))
    identity = bytearray(4)
    display_probe.read(display, 0x04, identity)
    print("identity", (int.from_bytes(identity, "big") << 1 & 0xFFFFFFFF).to_bytes(4, "big")[:3].hex())
    display.fill(0, 0, 320, 240, 0xFFFF)
"""


def test_a_started_controller_answers(draw) -> None:
    world = draw(PROBE)
    identity = world.chips.display.ID.hex()
    assert world.console.split() == ["before", "False", "after", "True", "identity", identity]
    assert set(world.chips.display.pixels) == {255}  # the bus is fast again, and the setup is kept


def test_a_display_that_is_not_there_does_not_answer(new_world) -> None:
    world = new_world(DISPLAY.format("ili9341", "ILI9341") + dedent(PROBE))
    world.chips.unplug_display()
    world.power_on()
    world.wait_off()
    assert world.console.split()[:4] == ["before", "False", "after", "False"]


def test_the_chip_refuses_a_read_at_the_speed_of_writes() -> None:
    chip = ILI9341()
    chip.hz = 40_000_000
    command(chip, 0x0A)
    with pytest.raises(ValueError, match="read at"):
        command(chip, 0x0A, b"\0")


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
