# SPDX-License-Identifier: MIT
"""The display controllers as chips: take commands and pixels over SPI, show 320x240 pixels, as bytes or PNG."""

import io
import struct

from PIL import Image

WIDTH, HEIGHT = 320, 240

_SOFT_RESET, _SLEEP_IN, _SLEEP_OUT, _OFF, _ON = 0x01, 0x10, 0x11, 0x28, 0x29
_INVERSION_OFF, _INVERSION_ON = 0x20, 0x21
_MY, _MX, _MV, _BGR = 0x80, 0x40, 0x20, 0x08  # bits of MADCTL
_CASET, _PASET, _RAMWR, _MADCTL, _COLMOD, _CONTINUE = 0x2A, 0x2B, 0x2C, 0x36, 0x3A, 0x3C
_READ_ID, _READ_POWER_MODE, _READ_ID4 = 0x04, 0x0A, 0xD3
_FASTEST_READ = 6_666_666  # Hz: a serial read takes 150 ns a bit
_AWAKE_AFTER = 5  # ms without commands after a reset or sleep out
_WAKE_AFTER = 120  # ms from a reset to sleep out


class ILI9341:
    """Follows the datasheet where a driver can go wrong: reset, sleep, address window, pixel format, orientation.

    `bytes_in` counts the bytes written. A driver's mistake raises ValueError. What is only wrong for the panel behind
    the chip shows in the picture: mirrored, upside down, inverted, or red and blue exchanged.
    """

    LANDSCAPE = 0x28  # MADCTL that shows the picture upright on the usual module
    INVERTED = False  # whether the panel needs its colours inverted
    ID = b"\x00\x00\x00"  # register 04
    ID4 = b"\x00\x00\x93\x41"  # register D3, after one byte that means nothing

    def __init__(self) -> None:
        self.bytes_in = 0
        self.hz = 0  # clock of the bus, 0 = unknown
        self._now: int | None = None  # unknown until the first tick
        self._dc = 1
        self._selected = False
        self._dark = False  # it lost its power and was not set up since: what is written has no effect
        self._memory = bytearray(2 * WIDTH * HEIGHT)
        self._reset()

    def _reset(self) -> None:
        self._reset_at = self._ready_at = self._now
        self.on = False
        self.asleep = True
        self._command = -1
        self._parameters = bytearray()
        self._columns = (0, WIDTH - 1)
        self._rows = (0, HEIGHT - 1)
        self._at = [0, 0]
        self._half = -1  # first byte of an incomplete pixel, or -1
        self._orientation = 0
        self._inverted = False
        self._format = 0x66

    # Bus side.

    def select(self) -> None:
        self._selected = True

    def deselect(self) -> None:
        self._selected = False  # a memory write continues at the next selection

    def tick(self, now_ms: int) -> None:
        self._now = now_ms

    def pin(self, name: str, level: int) -> None:
        if name == "dc":
            self._dc = level
        elif name == "rst":
            self._dark = not level
            if not level:
                self._reset()
                self._memory[:] = bytes(len(self._memory))

    def level(self, name: str) -> int:
        return 1

    def transfer(self, out: bytes) -> bytes:
        self.bytes_in += len(out)
        if self._dc:
            if self._command in (_READ_ID, _READ_POWER_MODE, _READ_ID4):
                return self._register().ljust(len(out), b"\0")[: len(out)]
            self._data(out)
        else:
            for byte in out:
                self._begin(byte)
        return b"\xff" * len(out)

    def _register(self) -> bytes:
        """The bytes of the register that the last command reads."""
        if self.hz > _FASTEST_READ:
            raise ValueError(f"read at {self.hz} Hz")
        if self._command == _READ_POWER_MODE:
            return bytes((0x08 | (0 if self.asleep else 0x90) | (0x04 if self.on else 0),))
        if self._command == _READ_ID4:
            return self.ID4
        return (int.from_bytes(self.ID, "big") << 7).to_bytes(4, "big")  # a dummy clock comes first

    # The chip's commands.

    def _begin(self, command: int) -> None:
        if self._half >= 0:
            raise ValueError("half a pixel written")
        if self._too_soon(self._ready_at, _AWAKE_AFTER):
            raise ValueError(f"command {command:02x} too soon after a reset or sleep out")
        self._command = command
        self._parameters = bytearray()
        self._dark &= command not in (_SOFT_RESET, _SLEEP_OUT)
        if command == _SOFT_RESET:
            self._reset()
        elif command in (_SLEEP_IN, _SLEEP_OUT):
            if self._too_soon(self._reset_at, _WAKE_AFTER):
                raise ValueError("woken too soon after a reset")
            self.asleep = command == _SLEEP_IN
            self._ready_at = self._now
        elif command in (_INVERSION_OFF, _INVERSION_ON):
            self._inverted = command == _INVERSION_ON
        elif command in (_OFF, _ON):
            self.on = command == _ON
        elif command == _RAMWR:
            self._at = [self._columns[0], self._rows[0]]

    def _too_soon(self, since: int | None, wait: int) -> bool:
        return since is not None and self._now is not None and self._now - since < wait

    def _data(self, data: bytes) -> None:
        if self._command in (_RAMWR, _CONTINUE):
            self._pixels(data)
            return
        self._parameters += data
        if self._command in (_CASET, _PASET) and len(self._parameters) == 4:
            first, last = int.from_bytes(self._parameters[:2], "big"), int.from_bytes(self._parameters[2:], "big")
            limit = WIDTH if self._command == _CASET else HEIGHT
            if not first <= last < limit:
                raise ValueError(f"address window {first} to {last}")
            if self._command == _CASET:
                self._columns = (first, last)
            else:
                self._rows = (first, last)
        elif self._command == _MADCTL:
            self._orientation = data[-1]
        elif self._command == _COLMOD:
            self._format = data[-1]

    def _pixels(self, data: bytes) -> None:
        if self._dark:
            return
        if self._format & 7 != 5:
            raise ValueError("only 16 bits a pixel are modelled")
        if not self._orientation & 0x20:
            raise ValueError("only landscape is modelled (row and column exchanged)")
        if self._half >= 0:
            data = bytes((self._half,)) + data
        self._half = data[-1] if len(data) & 1 else -1
        left, right = self._columns
        top, bottom = self._rows
        x, y = self._at
        start, count = 0, len(data) // 2
        while count:
            run = min(count, right - x + 1)
            place = 2 * (y * WIDTH + x)
            self._memory[place : place + 2 * run] = data[2 * start : 2 * (start + run)]
            start += run
            count -= run
            x += run
            if x > right:
                x, y = left, top if y >= bottom else y + 1
        self._at = [x, y]

    # The visible picture.

    @property
    def pixels(self) -> bytes:
        """RGB565, high byte first, row by row; all black while the panel is off or asleep."""
        if not self.on or self.asleep:
            return bytes(len(self._memory))
        wrong = self._orientation ^ self.LANDSCAPE
        if not wrong & (_MY | _MX | _BGR) and self._inverted == self.INVERTED:
            return bytes(self._memory)
        flip = 0xFFFF if self._inverted != self.INVERTED else 0
        pixels = [pixel ^ flip for pixel in struct.unpack(f">{WIDTH * HEIGHT}H", self._memory)]
        if wrong & _BGR:
            pixels = [(pixel & 0x1F) << 11 | pixel & 0x07E0 | pixel >> 11 for pixel in pixels]
        rows = [pixels[at : at + WIDTH] for at in range(0, len(pixels), WIDTH)]
        if wrong & _MX:  # rows and columns are exchanged: the chip's columns are the picture's rows
            rows.reverse()
        if wrong & _MY:
            rows = [row[::-1] for row in rows]
        return b"".join(struct.pack(f">{WIDTH}H", *row) for row in rows)

    def png(self) -> bytes:
        """The visible picture as a PNG file."""
        return png(self.pixels)


class ST7789(ILI9341):
    """The ST7789V with an IPS panel: native RGB, mirrored glass, colours inverted."""

    LANDSCAPE = 0x60
    INVERTED = True
    ID = b"\x85\x85\x52"
    ID4 = b""


def png(pixels: bytes) -> bytes:
    """RGB565 pixels of the whole panel as a PNG file."""
    rgb = bytearray(3 * WIDTH * HEIGHT)
    high, low = pixels[0::2], pixels[1::2]
    rgb[0::3] = bytes(b & 0xF8 | b >> 5 for b in high)
    rgb[1::3] = bytes((h & 7) << 5 | (l & 0xE0) >> 3 | (h & 7) >> 1 for h, l in zip(high, low, strict=True))
    rgb[2::3] = bytes((b & 0x1F) << 3 | (b & 0x1F) >> 2 for b in low)
    file = io.BytesIO()
    Image.frombytes("RGB", (WIDTH, HEIGHT), bytes(rgb)).save(file, "PNG")
    return file.getvalue()
