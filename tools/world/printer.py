# SPDX-License-Identifier: MIT
"""The receipt printer on the UART: takes ESC/POS, produces receipts with their text, styles, pictures and QR Codes.

As on a real printer, a line that is too long wraps, each line takes time, and what arrives faster than it is printed
waits in a memory of limited size.
"""

from PIL import Image

from tools.world.paper import COLUMNS, HEIGHT, SPACING, Line, Receipt, qr_code, wrapped

__all__ = ["COLUMNS", "Line", "PrinterPeer", "Receipt"]

LINE_MS = 50  # 24 dots and 6 of spacing are 3.75 mm: 75 mm/s
CUT_MS = 300
_MEMORY = 4096  # bytes

# command -> number of parameter bytes
_ESC = {
    0x40: 0,
    0x61: 1,
    0x45: 1,
    0x4D: 1,
    0x33: 1,
    0x32: 0,
    0x64: 1,
    0x74: 1,
    0x70: 3,
    0x4A: 1,
    0x2D: 1,
    0x7B: 1,
    0x52: 1,
}
_GS = {0x21: 1, 0x61: 1, 0x68: 1, 0x77: 1, 0x48: 1, 0x72: 1, 0x42: 1, 0x62: 1}
_FS = {0x26: 0, 0x2E: 0}


class PrinterPeer:
    """A test may change the fields above the line in __init__. An unknown command raises ValueError.

    Two kinds of printer are on the market. With `real_time`, the printer answers DLE EOT at once, out of order, and
    stops at the end of its paper or when its cover is opened: it holds the rest and answers nothing else until it can
    go on. Without it, the printer handles everything in order, answers when it gets there, and loses what it prints
    without paper.
    """

    def __init__(self) -> None:
        self.columns = COLUMNS
        self.real_time = True
        self.paper = True
        self.cover_open = False
        self.plugged_in = True  # the cable
        self.answers = True
        self.knows_status = True  # supports GS r; a printer without it does not answer
        self.knows_chinese = True  # has the characters of GB 18030; without them it prints each byte as a character
        self.memory = _MEMORY
        self.lines_left: int | None = None  # lines until the paper ends, None: enough
        self.line_ms = LINE_MS
        self.receipts: list[Receipt] = []
        self.lost = 0  # bytes that found no room in the memory
        # ---
        self._current = Receipt()
        self._out = bytearray()
        self._pending = bytearray()
        self._last_now = 0  # the terminal's clock at the last tick; it restarts at each power-on
        self._clock = 0  # ms
        self._free = 0  # when the mechanism is free again, ms
        self._initialise()

    def _initialise(self) -> None:
        self._align, self._bold, self._size, self._chinese = 0, False, 1, False
        self._text = bytearray()
        self._code, self._module, self._level = b"", 3, "L"

    @property
    def paper_text(self) -> str:
        """Everything printed so far, including the unfinished receipt."""
        parts = [receipt.text() for receipt in self.receipts]
        if self._current.lines:
            parts.append(self._current.text())
        return "\n".join(parts)

    def tick(self, now: int) -> None:
        """Advance to `now` (ms since the terminal's power-on) and print what fits in that time."""
        self._clock += max(0, now - self._last_now)
        self._last_now = now
        self._work()

    def finish(self) -> None:
        """Print what is buffered: the terminal lost power, but the printer has its own supply."""
        while self._pending and self._clock < self._free:
            self._clock = self._free
            self._work()

    def power_cycle(self) -> None:
        """Lose power and get it back: what was not printed is forgotten, and the next receipt is on the same paper."""
        self._pending.clear()
        self._out.clear()
        self._initialise()

    def receive(self, data: bytes) -> None:
        if not self.plugged_in:
            return
        self._free = max(self._free, self._clock)
        self._pending += data
        at = self._pending.find(b"\x10\x04") if self.real_time else -1
        while 0 <= at < len(self._pending) - 2:
            self._real_time(self._pending[at : at + 3])
            del self._pending[at : at + 3]
            at = self._pending.find(b"\x10\x04")
        self._work()
        self.lost += max(0, len(self._pending) - self.memory)
        del self._pending[self.memory :]

    def send(self) -> bytes:
        data = bytes(self._out)
        self._out.clear()
        return data if self.plugged_in else b""

    def _work(self) -> None:
        while self._pending and self._free <= self._clock and (self._can_print() or not self.real_time):
            used = self._take()
            if not used:
                return
            del self._pending[:used]

    def _take(self) -> int:
        """Handle the first command or character. Returns its length, 0 if it is incomplete."""
        data = self._pending
        first = data[0]
        if first == 0x10:
            if len(data) < 3:
                return 0
            self._real_time(data[:3])
            return 3
        if first in (0x1B, 0x1C, 0x1D):
            return self._command()
        if first == 0x0A:
            self._feed()
        elif first >= 0x20:
            self._text.append(first)
        elif first != 0x0D:
            raise ValueError(f"control byte {first:02x}")
        return 1

    def _real_time(self, command: bytes | bytearray) -> None:
        """DLE EOT n: 12 = no error. n = 4: bits 5 and 6 = end of paper. n = 2: bit 2 = cover open, 5 = end of paper."""
        if command[1] != 0x04:
            raise ValueError("DLE without EOT")
        status = 0x12
        if command[2] == 4 and not self._has_paper():
            status |= 0x60
        if command[2] == 2:
            status |= (0 if self._has_paper() else 0x20) | (0x04 if self.cover_open else 0)
        if self.answers:
            self._out.append(status)

    def _status(self, number: int) -> None:
        """GS r n: for n = 1, bits 2 and 3 = end of paper; bits 4 and 7 are never set."""
        if self.answers and self.knows_status:
            out_of_paper = number == 1 and not self._has_paper()
            self._out.append(0x0F if out_of_paper else 0x00)

    def _has_paper(self) -> bool:
        return self.paper and self.lines_left != 0

    def _can_print(self) -> bool:
        return self._has_paper() and not self.cover_open

    def _command(self) -> int:
        data = self._pending
        if len(data) < 2:
            return 0
        code = data[1]
        if data[0] == 0x1D and code in (0x56, 0x76, 0x28):
            return {0x56: self._cut, 0x76: self._raster, 0x28: self._function}[code]()
        table = {0x1B: _ESC, 0x1C: _FS, 0x1D: _GS}[data[0]]
        if code not in table:
            raise ValueError(f"command {data[0]:02x} {code:02x}")
        size = 2 + table[code]
        if len(data) < size:
            return 0
        value = data[2] if size > 2 else 0
        match data[0], code:
            case 0x1B, 0x40:
                self._initialise()
            case 0x1B, 0x61:
                self._align = value % 48
            case 0x1B, 0x45:
                self._bold = bool(value & 1)
            case 0x1B, 0x64:
                for _ in range(value):
                    self._feed()
            case 0x1B, 0x4A:
                self._print(Line("", 0, False, 1, self.columns, Image.new("1", (1, value), 1)), value)
            case 0x1D, 0x21:
                self._size = (value & 7) + 1
            case 0x1D, 0x72:
                self._status(value % 48)
            case 0x1C, _:
                self._chinese = code == 0x26
        return size

    def _cut(self) -> int:
        """GS V m, followed by a feed n if m is 65 or 66."""
        data = self._pending
        if len(data) < 3:
            return 0
        size = 4 if data[2] in (65, 66) else 3
        if len(data) < size:
            return 0
        self._free += CUT_MS
        if self._current.lines:
            self.receipts.append(self._current)
        self._current = Receipt()
        return size

    def _raster(self) -> int:
        """GS v 0 m xL xH yL yH data: a picture of x bytes a row and y rows; m bit 0 = twice as wide, 1 = twice as high."""
        data = self._pending
        if len(data) < 8:
            return 0
        if data[2] != 0x30:
            raise ValueError("GS v without 0")
        width, height = data[4] | data[5] << 8, data[6] | data[7] << 8
        size = 8 + width * height
        if len(data) < size:
            return 0
        if len(self._text):
            raise ValueError("GS v 0 within a line")
        mode = data[3] % 48
        dots = Image.frombytes("1", (8 * width, height), bytes(byte ^ 0xFF for byte in data[8:size]))
        dots = dots.resize((dots.width << (mode & 1), dots.height << (mode >> 1 & 1)))
        if dots.width > self.columns * 12:
            raise ValueError(f"a picture of {dots.width} dots")
        self._print(Line("", self._align, False, 1, self.columns, dots), dots.height)
        return size

    def _function(self) -> int:
        """GS ( k: QR Codes (cn = 49)."""
        data = self._pending
        if len(data) < 5:
            return 0
        size = 5 + (data[3] | data[4] << 8)
        if len(data) < size:
            return 0
        if data[2] != 0x6B or data[5] != 49:
            raise ValueError(f"GS ( {data[2]:02x} {data[5]:02x}")
        value = bytes(data[7:size])
        match data[6]:
            case 65:
                if value[0] != 50:
                    raise ValueError("not model 2")
            case 67:
                self._module = value[0]
            case 69:
                self._level = "LMQH"[value[0] - 48]
            case 80:
                self._code = value[1:]
            case 81:
                text = self._code.decode()
                dots = qr_code(text, self._level, self._module)
                self._print(Line("", self._align, False, 1, self.columns, dots, text), dots.height)
            case other:
                raise ValueError(f"GS ( k function {other}")
        return size

    def _feed(self) -> None:
        """Print the line."""
        text = bytes(self._text)
        self._text.clear()
        character_set = "cp437" if not self.knows_chinese else "gbk" if self._chinese else "ascii"
        for piece in wrapped(text.decode(character_set, "replace"), self.columns // self._size):
            line = Line(piece, self._align, self._bold, self._size, self.columns)
            self._print(line, (HEIGHT + SPACING) * self._size)

    def _print(self, line: Line, dots: int) -> None:
        """Print what is `dots` high."""
        self._free += self.line_ms * dots // (HEIGHT + SPACING)
        if not self._can_print():
            return  # the line is lost
        if self.lines_left is not None:
            self.lines_left -= 1
        self._current.lines.append(line)
