# SPDX-License-Identifier: MIT
"""QR codes compared module by module with another encoder, and the page that shows them."""

import random
import struct
from collections.abc import Callable

import pytest
from qrcodegen import QrCode, QrSegment

from host_tests.harness.in_micropython.runner import Inside, InsideError
from host_tests.screens.test_live import STAGE
from tools.world import World

MASK = 4
LONGEST_M, LONGEST_L = 287, 367
WHITE, BLACK = 0xFFFF, 0
BODY, FOOT = 24, 216
QUIET = 4  # modules
LINK = "https://pay.example.org/q/"
PAGE = (
    STAGE
    + """
from kassa.screens import qr
async def page():
    await ui.show("wait", "Before", ["nothing"])
    for data, lines in %r:
        try:
            await qr.show(ui, "Show a code", "¥123.45", data, lines, "C=key_cancel")
        except ValueError as error:
            print("refused:", error)
        await asyncio.sleep(10)
    print("done")
    await asyncio.sleep(1000)
asyncio.run(main())
"""
)

Matrix = list[list[int]]


def expected(data: bytes) -> Matrix:
    """The QR code of `data`, made by another encoder."""
    level = QrCode.Ecc.MEDIUM if len(data) <= LONGEST_M else QrCode.Ecc.LOW
    code = QrCode.encode_segments([QrSegment.make_bytes(data)], level, 1, 12, MASK, False)
    side = range(code.get_size())
    return [[int(code.get_module(x, y)) for x in side] for y in side]


def made(inside: Inside, data: bytes) -> Matrix:
    """The QR code of `data`, made by the firmware."""
    size, rows = inside("qr", "matrix", data.hex())
    bits, stride = bytes.fromhex(rows), (size + 7) // 8
    return [[bits[y * stride + x // 8] >> (7 - x % 8) & 1 for x in range(size)] for y in range(size)]


def text(length: int) -> bytes:
    return (LINK * (length // len(LINK) + 1)).encode()[:length]


def pixels(world: World) -> list[tuple[int, ...]]:
    """The screen as rows of RGB565."""
    return list(struct.iter_unpack(">320H", world.chips.display.pixels))


def code_on_screen(world: World) -> tuple[Matrix, int]:
    """(code on the screen, pixels per module). Asserts black on white with a quiet zone on every side."""
    rows = pixels(world)
    black = [(x, y) for y, row in enumerate(rows) for x, pixel in enumerate(row) if pixel == BLACK]
    left, top = min(black, key=lambda at: at[0])[0], min(black, key=lambda at: at[1])[1]
    right, bottom = max(black, key=lambda at: at[0])[0], max(black, key=lambda at: at[1])[1]
    scale = rows[top][left:].index(WHITE) // 7  # the upper edge of a finder
    size = (right + 1 - left) // scale
    assert bottom - top == right - left == scale * size - 1
    found = []
    for y in range(-QUIET, size + QUIET):
        assert BODY <= top + y * scale and top + (y + 1) * scale <= FOOT
        line = []
        for x in range(-QUIET, size + QUIET):
            assert left + x * scale >= 0
            whole = {
                pixel
                for row in rows[top + y * scale : top + (y + 1) * scale]
                for pixel in row[left + x * scale : left + (x + 1) * scale]
            }
            assert whole in ({WHITE}, {BLACK}), (x, y)
            line.append(int(whole == {BLACK}))
        found.append(line)
    quiet = [line[:QUIET] + line[-QUIET:] for line in found] + found[:QUIET] + found[-QUIET:]
    assert not any(module for line in quiet for module in line)
    return [line[QUIET:-QUIET] for line in found[QUIET:-QUIET]], scale


def show(run_script: Callable[..., World], *shown: tuple[bytes, list[str]]) -> World:
    return run_script(PAGE % (shown,))


def test_every_length_up_to_200_bytes_agrees_with_another_encoder(inside: Inside) -> None:
    chance = random.Random(18004)
    for length in range(1, 201):
        for data in (chance.randbytes(length), bytes(chance.choices(range(0x20, 0x7F), k=length)), text(length)):
            assert made(inside, data) == expected(data), (length, data)


@pytest.mark.parametrize("length", (0, 213, 214, 251, 252, LONGEST_M, LONGEST_M + 1, 321, 322, LONGEST_L))
def test_the_limits_of_versions_and_levels_agree_with_another_encoder(inside: Inside, length: int) -> None:
    data = random.Random(length).randbytes(length)
    assert made(inside, data) == expected(data)


@pytest.mark.parametrize("byte", (0x00, 0x33, 0x55, 0xAA, 0xFF))
def test_one_repeated_byte_agrees_with_another_encoder(inside: Inside, byte: int) -> None:
    for length in (1, 14, 62, 150, LONGEST_L):
        assert made(inside, bytes((byte,)) * length) == expected(bytes((byte,)) * length)


def test_too_long_data_are_refused(inside: Inside) -> None:
    with pytest.raises(InsideError) as refusal:
        inside("qr", "matrix", bytes(LONGEST_L + 1).hex())
    assert refusal.value.kind == "ValueError"


def test_a_code_of_150_bytes_takes_less_than_8_kib_of_heap(inside: Inside) -> None:
    """The sum of all allocations while the code is made, including garbage."""
    assert inside("qr", "heap", text(150).hex()) < 8 * 1024


@pytest.mark.parametrize("length", (1, 60, 150, LONGEST_M, LONGEST_L))
def test_the_page_shows_the_code_as_large_as_possible(run_script: Callable[..., World], length: int) -> None:
    world = show(run_script, (text(length), ["Please scan", "87 s left"]))
    lines = world.wait_screen("87 s left")
    code, scale = code_on_screen(world)
    assert code == expected(text(length))
    assert scale == (FOOT - BODY) // (len(code) + 2 * QUIET)
    there = "\n".join(lines)
    for part in ("Show a code", "¥123.45", "Please scan", "87 s left", "Cancel"):
        assert part in there, lines
        there = there[there.index(part) :]  # in this order


def test_a_new_second_redraws_only_its_line(run_script: Callable[..., World]) -> None:
    world = show(run_script, (text(150), ["Please scan", "87 s left"]), (text(150), ["Please scan", "9 s left"]))
    world.wait_screen("87 s left")
    before = world.chips.display.bytes_in
    world.wait(lambda: "done" in world.console, "the page to rest")
    assert world.chips.display.bytes_in - before < 12_000
    assert code_on_screen(world)[0] == expected(text(150))
    fresh = show(run_script, (text(150), ["Please scan", "9 s left"]))
    fresh.wait_screen("9 s left")
    assert pixels(world)[BODY:] == pixels(fresh)[BODY:]


def test_removed_lines_are_erased(run_script: Callable[..., World]) -> None:
    world = show(run_script, (text(60), ["One that is longer than a row", "two"]), (text(60), ["One"]))
    world.wait(lambda: "done" in world.console, "the page to rest")
    fresh = show(run_script, (text(60), ["One"]))
    fresh.wait_screen("One")
    assert pixels(world)[BODY:] == pixels(fresh)[BODY:]


def test_another_code_replaces_the_first(run_script: Callable[..., World]) -> None:
    world = show(run_script, (text(150), ["first"]), (text(20), ["second"]))
    world.wait_screen("second")
    assert code_on_screen(world)[0] == expected(text(20))


def test_a_code_that_cannot_be_made_leaves_the_screen_unchanged(run_script: Callable[..., World]) -> None:
    world = show(run_script, (text(LONGEST_L + 1), ["never"]))
    world.wait(lambda: "done" in world.console, "the refusal")
    assert "refused: too long for a code" in world.console
    assert "Before" in "\n".join(world.screen_text()) and "Show a code" not in "\n".join(world.screen_text())


def test_other_tasks_run_while_a_code_is_made(run_script: Callable[..., World]) -> None:
    """They run at least once for every two columns, so that keys are scanned."""
    world = run_script(
        STAGE
        + """
from kassa.screens import qr
turns = 0
async def count():
    global turns
    while True:
        turns += 1
        await asyncio.sleep_ms(0)
async def page():
    task = asyncio.create_task(count())
    size, _ = await qr.matrix(b"k" * 150)
    task.cancel()
    print("turns", turns, size)
    await asyncio.sleep(1000)
asyncio.run(main())
"""
    )
    world.wait(lambda: "turns" in world.console, "the count")
    turns, size = world.console.split("turns ")[1].split()[:2]
    assert int(turns) >= int(size) // 2
