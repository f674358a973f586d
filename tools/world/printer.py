# SPDX-License-Identifier: MIT
"""The receipt printer on the UART: takes ESC/POS, produces receipts with their text and styles.

As on a real printer, a line that is too long wraps, and each line takes time.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

COLUMNS = 32  # of 12 dots on 58 mm paper (384 dots); 48 on 80 mm (576 dots)
LINE_MS = 50  # 24 dots and 6 of spacing are 3.75 mm: 75 mm/s
CUT_MS = 300


@dataclass(frozen=True)
class Line:
    """One printed line. `size` is 1 or 2; `align` is 0 left, 1 centre, 2 right. `columns`: the paper's width."""

    text: str
    align: int
    bold: bool
    size: int
    columns: int = COLUMNS

    def laid_out(self) -> str:
        """The text, aligned on the paper."""
        room = max(0, self.columns - sum(map(_columns, self.text)) * self.size)
        return " " * (0, room // 2, room)[self.align] + self.text


@dataclass
class Receipt:
    """The lines printed between two cuts."""

    lines: list[Line] = field(default_factory=list)

    def text(self) -> str:
        """The receipt as plain text."""
        return "\n".join(line.laid_out().rstrip() for line in self.lines).strip("\n") + "\n"


def _columns(char: str) -> int:
    """Columns of one character at size 1: two above ASCII, which is two bytes of GBK."""
    return 2 if char > "\x7f" else 1


def _wrapped(text: str, columns: int) -> Iterator[str]:
    """The text in pieces of at most `columns` columns, as the printer wraps it."""
    piece, used = "", 0
    for char in text:
        if used + _columns(char) > columns:
            yield piece
            piece, used = "", 0
        piece += char
        used += _columns(char)
    yield piece


# command -> number of parameter bytes
_ESC = {0x40: 0, 0x61: 1, 0x45: 1, 0x4D: 1, 0x33: 1, 0x32: 0, 0x64: 1, 0x74: 1, 0x70: 3}
_GS = {0x21: 1, 0x61: 1, 0x68: 1, 0x77: 1, 0x48: 1, 0x72: 1}
_FS = {0x26: 0, 0x2E: 0}


class PrinterPeer:
    """A test may change the fields above the line in __init__. An unknown command raises ValueError.

    Two kinds of printer are on the market. With `real_time`, the printer answers DLE EOT at once, out of order, and
    stops at the end of its paper: it holds the rest and answers nothing else until there is paper again. Without it,
    the printer handles everything in order, answers when it gets there, and loses what it prints without paper.
    """

    def __init__(self) -> None:
        self.columns = COLUMNS
        self.real_time = True
        self.paper = True
        self.answers = True
        self.knows_status = True  # supports GS r; a printer without it does not answer
        self.lines_left: int | None = None  # lines until the paper ends, None: enough
        self.line_ms = LINE_MS
        self.receipts: list[Receipt] = []
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

    def receive(self, data: bytes) -> None:
        self._free = max(self._free, self._clock)
        self._pending += data
        at = self._pending.find(0x10) if self.real_time else -1
        while 0 <= at < len(self._pending) - 2:
            self._real_time(self._pending[at : at + 3])
            del self._pending[at : at + 3]
            at = self._pending.find(0x10)
        self._work()

    def send(self) -> bytes:
        data = bytes(self._out)
        self._out.clear()
        return data

    def _work(self) -> None:
        while self._pending and self._free <= self._clock and (self._has_paper() or not self.real_time):
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
        """DLE EOT n: 12 = no error; for n = 4, bits 5 and 6 = end of paper."""
        if command[1] != 0x04:
            raise ValueError("DLE without EOT")
        if self.answers:
            out_of_paper = command[2] == 4 and not self._has_paper()
            self._out.append(0x72 if out_of_paper else 0x12)

    def _status(self, number: int) -> None:
        """GS r n: for n = 1, bits 2 and 3 = end of paper; bits 4 and 7 are never set."""
        if self.answers and self.knows_status:
            out_of_paper = number == 1 and not self._has_paper()
            self._out.append(0x0F if out_of_paper else 0x00)

    def _has_paper(self) -> bool:
        return self.paper and self.lines_left != 0

    def _command(self) -> int:
        data = self._pending
        if len(data) < 2:
            return 0
        code = data[1]
        if data[0] == 0x1D and code == 0x56:
            return self._cut()
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

    def _feed(self) -> None:
        """Print the line."""
        text = bytes(self._text).decode("gbk" if self._chinese else "ascii", "replace")
        self._text.clear()
        for piece in _wrapped(text, self.columns // self._size):
            self._free += self.line_ms * self._size
            if not self._has_paper():
                continue  # the line is lost
            if self.lines_left is not None:
                self.lines_left -= 1
            self._current.lines.append(Line(piece, self._align, self._bold, self._size, self.columns))
