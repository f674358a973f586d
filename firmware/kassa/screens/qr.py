# SPDX-License-Identifier: MIT
"""The page with a QR Code to scan, and its encoder: ISO/IEC 18004, byte mode, versions 1 to 12, level M or else L.

Clauses and tables are those of ISO/IEC 18004:2015. The mask is always pattern 100: readers accept any, and trying all
eight (7.8.3) would take longer than all the rest. For payment links the standard's rules prefer this one most often.
"""

import asyncio

import framebuf
from micropython import const

from kassa.screens import font, theme
from kassa.screens.canvas import WIDTH

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Sequence

    from kassa.screens.canvas import Canvas
    from kassa.screens.screen import Screen

_BLACK = const(0x0000)
_WHITE = const(0xFFFF)
_BODY = const(24)
_HEIGHT = const(192)  # px between top bar and bottom line
_FOOT = const(216)
_QUIET = const(4)  # white modules around the code (6.3.8)

# For each version: codewords; blocks and parity codewords per block at M, the same at L (table 9); version bits (annex D).
_VERSIONS = (
    (26, 1, 10, 1, 7, 0),
    (44, 1, 16, 1, 10, 0),
    (70, 1, 26, 1, 15, 0),
    (100, 2, 18, 1, 20, 0),
    (134, 2, 24, 1, 26, 0),
    (172, 4, 16, 2, 18, 0),
    (196, 4, 18, 2, 20, 0x07C94),
    (242, 4, 22, 2, 24, 0x085BC),
    (292, 5, 22, 2, 30, 0x09A99),
    (346, 5, 26, 4, 18, 0x0A4D3),
    (404, 5, 30, 4, 20, 0x0BBF6),
    (466, 8, 22, 4, 24, 0x0C762),
)
_FORM_M = const(0x45F9)  # format bits for mask 100 (annex C)
_FORM_L = const(0x662F)


async def show(screen: "Screen", title: str, amount: str, data: bytes, lines: "Sequence[str]", keys: str) -> None:
    """Draw the code of `data`, with title, amount and `lines` to its right. If it is on the screen, redraw only the lines.

    Raises ValueError if the data are too long for a code; the screen is unchanged then.
    """
    canvas = screen.canvas
    head = ("qr", title, amount, data, keys, screen.words.language)
    if screen.shown is not None and screen.shown[0] == head:
        _, old, x, y = screen.shown
    else:
        size, bits = await matrix(data)
        await screen.begin(keys)
        old = []
        x = await _code(canvas, size, bits)
        y = await _head(canvas, title, amount, x)
    width = WIDTH - 8 - x
    rows = []
    for line in lines:
        ink = theme.QUIET if rows else theme.INK
        for row in canvas.wrap(line, width, font.TEXT):
            rows.append((ink, row))
    rows = rows[: (_FOOT - y) // 20]
    for index in range(max(len(rows), len(old))):
        row = rows[index] if index < len(rows) else (theme.INK, "")
        if index >= len(old) or old[index] != row:
            await canvas.text(x, y + 20 * index, width, row[1], row[0])
    screen.shown = (head, rows, x, y)


async def _code(canvas: "Canvas", size: int, bits: bytearray) -> int:
    """Draw the modules as large as possible, on white. Returns the x of the text beside them (px)."""
    scale = _HEIGHT // (size + 2 * _QUIET)
    side = scale * size
    left = scale * _QUIET
    x = side + 2 * left + 7 & ~7
    await canvas.fill(0, _BODY, x, _HEIGHT, _WHITE)
    row = bytearray(2 * side)
    frame = framebuf.FrameBuffer(row, side, 1, framebuf.RGB565)
    stride = size + 7 >> 3
    canvas.display.window(left, _BODY + (_HEIGHT - side) // 2, side, side)
    for top in range(0, stride * size, stride):
        frame.fill(_WHITE)
        for column in range(size):
            if bits[top + (column >> 3)] & 128 >> (column & 7):
                frame.hline(column * scale, 0, scale, _BLACK)
        for _ in range(scale):
            canvas.display.write(row)
        await asyncio.sleep_ms(0)
    return x


async def _head(canvas: "Canvas", title: str, amount: str, x: int) -> int:
    """Draw title and amount, each in the largest face in which it fits. Returns the y of the lines below (px)."""
    width = WIDTH - 8 - x
    face = font.TITLE if len(canvas.wrap(title, width, font.TITLE)) < 3 else font.TEXT
    y = await _rows(canvas, x, 32, title, face)
    face = font.TEXT
    for larger in (font.AMOUNT, font.TITLE):
        if canvas.measure(larger, amount) <= width:
            face = larger
            break
    return await _rows(canvas, x, y + 8, amount, face) + 12


async def _rows(canvas: "Canvas", x: int, y: int, text: str, face: int) -> int:
    """Draw `text` from (x, y) to the right edge, in as many rows as necessary. Returns the y below them (px)."""
    width = WIDTH - 8 - x
    for row in canvas.wrap(text, width, face):
        await canvas.text(x, y, width, row, face=face)
        y += canvas.font.height(face) + 4
    return y


async def matrix(data: bytes) -> tuple[int, bytearray]:
    """Encode `data`: up to 287 bytes at level M, or 367 at level L. Other tasks run meanwhile.

    Returns the modules per side, and the rows of bits from the left, 1 = dark; each row starts a new byte. Raises
    ValueError if the data are longer.
    """
    version, form, blocks, parity = _fit(len(data))
    words = await _words(data, version, blocks, parity)
    size = 17 + 4 * version
    bits = bytearray((size + 7 >> 3) * size)
    taken = bytearray(len(bits))  # 1 where a module belongs to a function pattern
    code = framebuf.FrameBuffer(bits, size, size, framebuf.MONO_HLSB)
    used = framebuf.FrameBuffer(taken, size, size, framebuf.MONO_HLSB)
    _patterns(code, used, version, size)
    _format(code, size, form)
    if version >= 7:
        _version(code, used, size, _VERSIONS[version - 1][5])
    await _place(code, used, size, words)
    return size, bits


def _fit(count: int) -> tuple[int, int, int, int]:
    """(version, format bits, blocks, parity codewords per block) of the smallest code for `count` bytes."""
    for form, column in ((_FORM_M, 1), (_FORM_L, 3)):
        for version in range(1, len(_VERSIONS) + 1):
            row = _VERSIONS[version - 1]
            room = row[0] - row[column] * row[column + 1]
            if count + (2 if version < 10 else 3) <= room:
                return version, form, row[column], row[column + 1]
    raise ValueError("too long for a code")


async def _words(data: bytes, version: int, blocks: int, parity: int) -> bytearray:
    """The codewords in the order of placement: data and parity, interleaved by blocks (7.4, 7.5, 7.6)."""
    total = _VERSIONS[version - 1][0]
    room = total - blocks * parity
    plain = bytearray(room)
    plain[0] = 0x40  # byte mode, 4 bits: all that follows is shifted by half a byte
    at = 0
    size = len(data)
    for byte in (bytes((size,)) if version < 10 else bytes((size >> 8, size & 255))) + data:
        plain[at] |= byte >> 4
        at += 1
        plain[at] = byte << 4 & 255
    for pad in range(at + 1, room):
        plain[pad] = 0xEC if pad - at & 1 else 0x11
    words = bytearray(total)
    powers = bytearray(255)
    logs = bytearray(256)
    _tables(powers, logs)
    divisor = _divisor(parity, powers, logs)
    short = room // blocks
    longer = blocks - room % blocks  # the first block with one more codeword
    start = 0
    for block in range(blocks):
        count = short + (block >= longer)
        rest = bytearray(parity + 1)
        for index in range(count):
            byte = plain[start + index]
            words[index * blocks + block if index < short else short * blocks + block - longer] = byte
            _divide(rest, byte, divisor, powers, logs)
        for index in range(parity):
            words[room + index * blocks + block] = rest[index]
        start += count
        await asyncio.sleep_ms(0)
    return words


def _tables(powers: bytearray, logs: bytearray) -> None:
    """Fill both tables for GF(256) modulo x^8 + x^4 + x^3 + x^2 + 1 (7.5.2)."""
    value = 1
    for exponent in range(255):
        powers[exponent] = value
        logs[value] = exponent
        value <<= 1
        if value > 255:
            value ^= 0x11D


def _divisor(parity: int, powers: bytearray, logs: bytearray) -> bytearray:
    """Logarithms of the generator polynomial's coefficients, without the leading one (annex A). No coefficient is 0."""
    found = bytearray(parity)
    found[-1] = 1
    for root in range(parity):
        for index in range(parity):
            value = found[index]
            if value:
                value = powers[(logs[value] + root) % 255]
            found[index] = value ^ (found[index + 1] if index + 1 < parity else 0)
    for index in range(parity):
        found[index] = logs[found[index]]
    return found


def _divide(rest: bytearray, byte: int, divisor: bytearray, powers: bytearray, logs: bytearray) -> None:
    """One step of the polynomial division: add the next codeword to the remainder `rest`, whose last byte stays 0."""
    factor = byte ^ rest[0]
    exponent = logs[factor]
    for index in range(len(divisor)):
        rest[index] = rest[index + 1] ^ (powers[(exponent + divisor[index]) % 255] if factor else 0)


def _patterns(code: framebuf.FrameBuffer, used: framebuf.FrameBuffer, version: int, size: int) -> None:
    """Draw timing, finder and alignment patterns; reserve separators and format bits (6.3.3 to 6.3.6)."""
    for at in range(8, size - 8, 2):
        code.pixel(at, 6, 1)
        code.pixel(6, at, 1)
    used.hline(0, 6, size, 1)
    used.vline(6, 0, size, 1)
    last = size - 7
    for x, y in ((0, 0), (last, 0), (0, last)):
        code.fill_rect(x, y, 7, 7, 1)
        code.rect(x + 1, y + 1, 5, 5, 0)
    used.fill_rect(0, 0, 9, 9, 1)
    used.fill_rect(size - 8, 0, 8, 9, 1)
    used.fill_rect(0, size - 8, 9, 8, 1)
    centres = () if version == 1 else (6, last) if version < 7 else (6, 2 * version + 8, last)  # annex E
    for x in centres:
        for y in centres:
            if (x, y) not in ((6, 6), (6, last), (last, 6)):  # the finders are there
                code.fill_rect(x - 2, y - 2, 5, 5, 1)
                code.rect(x - 1, y - 1, 3, 3, 0)
                used.fill_rect(x - 2, y - 2, 5, 5, 1)


def _format(code: framebuf.FrameBuffer, size: int, form: int) -> None:
    """Draw the format bits (level and mask) twice, and the dark module (7.9)."""
    for index in range(15):
        bit = form >> index & 1
        if index < 8:
            code.pixel(size - 1 - index, 8, bit)
            code.pixel(8, index if index < 6 else index + 1, bit)
        else:
            code.pixel(8, size - 15 + index, bit)
            code.pixel(7 if index == 8 else 14 - index, 8, bit)
    code.pixel(8, size - 8, 1)


def _version(code: framebuf.FrameBuffer, used: framebuf.FrameBuffer, size: int, version: int) -> None:
    """Draw the version bits twice, and reserve their modules (7.10)."""
    for index in range(18):
        bit = version >> index & 1
        code.pixel(index // 3, size - 11 + index % 3, bit)
        code.pixel(size - 11 + index % 3, index // 3, bit)
    used.fill_rect(0, size - 11, 6, 3, 1)
    used.fill_rect(size - 11, 0, 3, 6, 1)


async def _place(code: framebuf.FrameBuffer, used: framebuf.FrameBuffer, size: int, words: bytearray) -> None:
    """Place the masked codewords in columns of two modules from the right, alternately upwards and downwards (7.7.3, 7.8.2)."""
    at = 0
    end = 8 * len(words)
    right = size - 1
    up = True
    while right > 0:
        if right == 6:  # the timing pattern
            right = 5
        for step in range(size):
            y = size - 1 - step if up else step
            for x in range(right, right - 2, -1):
                if not used.pixel(x, y):
                    bit = words[at >> 3] >> (7 - (at & 7)) & 1 if at < end else 0
                    at += 1
                    code.pixel(x, y, bit ^ ((y >> 1) + x // 3 & 1 ^ 1))
        up = not up
        right -= 2
        await asyncio.sleep_ms(0)
