# SPDX-License-Identifier: MIT
"""The chips of the Unix board and how they are wired."""

from functools import lru_cache

from boards.unix import wiring
from tools.world import ocr
from tools.world.ili9341 import ILI9341
from tools.world.keypad import KeyMatrix
from tools.world.lights import Backlight, Light
from tools.world.pn532_link import PN532, Field, HsuLink, I2cLink, SpiLink
from tools.world.printer import PrinterPeer
from tools.world.routing import Lines

_read = lru_cache(maxsize=64)(ocr.read)  # reading a picture is slow, and pictures repeat
ROWS = {pin: f"row{number}" for number, pin in enumerate(wiring.KEY_ROWS)}
COLUMNS = {pin: f"col{number}" for number, pin in enumerate(wiring.KEY_COLS)}


class Scanner:
    """A barcode scanner on a UART at 9600 baud, about one byte per millisecond.

    `prefix` and `suffix` are sent around each code; a test may change them. With `commanded` it is a GM65 in command
    mode: it answers the command to scan, and then looks for a code for `LOOK_MS`. An unknown command raises ValueError.
    """

    LOOK_MS = 5000
    SCAN = bytes.fromhex("7e000801000201abcd")
    DONE = bytes.fromhex("02000001003331")

    def __init__(self) -> None:
        self.prefix, self.suffix = b"", b"\r\n"
        self.commanded = False
        self.commands = 0  # how often it was told to scan
        self._code: str | None = None  # held before the scanner
        self._looks_until = -1
        self._waiting = b""
        self._due = 0  # bytes that have had time to arrive
        self._last_now = 0  # the terminal's clock at the last tick; it restarts at each power-on

    def scan(self, code: str) -> None:
        self._code = code
        self._look()

    def _look(self) -> None:
        if self._code is not None and (not self.commanded or self._last_now < self._looks_until):
            self._waiting += self.prefix + self._code.encode() + self.suffix
            self._code, self._looks_until = None, -1

    def tick(self, now: int) -> None:
        """`now`: ms since the terminal's power-on."""
        self._due = min(len(self._waiting), self._due + max(0, now - self._last_now))
        self._last_now = now

    def receive(self, data: bytes) -> None:
        """Take a command. Only a GM65 does; another scanner ignores it."""
        if not self.commanded:
            return
        if data != self.SCAN:
            raise ValueError(f"command {data.hex()}")
        self.commands += 1
        self._waiting += self.DONE
        self._looks_until = self._last_now + self.LOOK_MS
        self._look()

    def send(self) -> bytes:
        came, self._waiting = self._waiting[: self._due], self._waiting[self._due :]
        self._due = 0
        return came


_PAUSE_MS = 250  # of silence end a beep; within one they are shorter
_BEEPS = {(2700, 1): "tap", (2000, 1): "short", (500, 1): "long", (1000, 3): "three", (400, 3): "display"}  # Hz, tones
_CLICK = 3500  # Hz, for each key


class Buzzer:
    """A passive buzzer: sounds while it is driven with a square wave. `heard`: tones so far, (Hz, ms), 0 Hz = silence.

    `beeps`: the names of the beeps that have ended, as in _BEEPS; "other" for one that is none of them. `clicks`: how many
    clicks of keys were heard. `loud`: the duty of the tone heard last, in percent.
    """

    def __init__(self) -> None:
        self.heard: list[tuple[int, int]] = []
        self.beeps: list[str] = []
        self.tone = 0
        self.clicks = 0
        self.loud = 0.0
        self._beep: list[int] = []  # the tones of the current beep, in Hz
        self._since = self._now = 0

    def tick(self, now: int) -> None:
        """`now`: ms since the terminal's power-on."""
        self._now = now
        if not self.tone and now - self._since >= _PAUSE_MS:
            self._end()

    def pin(self, name: str, level: int) -> None:
        """A steady level: makes no sound."""
        self.wave(0, 0)

    def wave(self, frequency: int, duty: int) -> None:
        tone = frequency if 0 < duty < 65535 else 0
        if tone == self.tone:
            return
        if self._now > self._since:
            self.heard.append((self.tone, self._now - self._since))
        if tone:
            if self._beep and self._beep[-1] != tone:
                self._end()
            self._beep.append(tone)
            self.loud = round(duty * 100 / 65536, 1)
        self.tone, self._since = tone, self._now

    def power_off(self) -> None:
        """Fall silent. The terminal's clock restarts at the next power-on."""
        self.wave(0, 0)
        self._end()
        self._since = self._now = 0

    def _end(self) -> None:
        if self._beep and self._beep[-1] == _CLICK:
            self.clicks += len(self._beep)
        elif self._beep:
            self.beeps.append(_BEEPS.get((self._beep[-1], len(self._beep)), "other"))
        self._beep = []


class Chips:
    """One of each chip, wired to `lines`."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._darkened = 0  # how often the display lost power
        self.keys = KeyMatrix()
        self.field = Field()
        self.reader = PN532(self.field)
        self.reader_link: SpiLink | I2cLink | HsuLink = SpiLink(self.reader)
        self.printer = PrinterPeer()
        self.scanner = Scanner()
        self.buzzer = Buzzer()
        self.backlight = Backlight()
        self.light = Light()
        self.replace_display(ILI9341())
        lines.attach_spi(
            wiring.READER_SPI, wiring.READER_CS, self.reader_link, lsb_first=True, outputs={wiring.READER_IRQ: "irq"}
        )
        lines.attach_pins(self.keys, ROWS, COLUMNS, rests=True)
        lines.attach_pins(self.buzzer, {wiring.BUZZER: "in"}, {})
        lines.attach_pins(self.backlight, {wiring.DISPLAY_LIGHT: "in"}, {})
        lines.attach_pins(self.light, {wiring.LED: "in"}, {})
        lines.attach_uart(wiring.PRINTER_UART, self.printer)
        lines.attach_uart(wiring.SCANNER_UART, self.scanner)

    def replace_display(self, display: ILI9341) -> None:
        """Fit another display on the same pins, before power-on."""
        self.display = display
        self._lines.attach_spi(
            wiring.DISPLAY_SPI, wiring.DISPLAY_CS, display, inputs={wiring.DISPLAY_DC: "dc", wiring.DISPLAY_RST: "rst"}
        )

    def unplug_display(self) -> None:
        """Nothing is on the display's pins: no picture, and its line to the chip floats."""
        self._lines.detach_spi(wiring.DISPLAY_CS)

    def move_reader(self, link: str) -> None:
        """Connect the reader by "i2c" or "hsu" instead of SPI. Call it once, before power-on."""
        self._lines.detach_spi(wiring.READER_CS)
        if link == "i2c":
            self.reader_link = I2cLink(self.reader)
            self._lines.attach_i2c(
                wiring.READER_I2C, I2cLink.ADDRESS, self.reader_link, outputs={wiring.READER_IRQ: "irq"}
            )
        else:
            self.reader_link = HsuLink(self.reader)
            self._lines.attach_uart(wiring.READER_UART, self.reader_link)

    def display_writes(self) -> int:
        """A count that grows whenever the picture may have changed."""
        return self._lines.spi_bytes[wiring.DISPLAY_SPI] + self._darkened

    def read_screen(self) -> list[str]:
        """The lines of text on the display."""
        return list(_read(self.display.pixels))

    def power_off(self) -> None:
        """Clear the display. The printer has its own power supply and prints what it has buffered."""
        self.display.pin("rst", 0)
        self._darkened += 1
        self.printer.finish()
        self.buzzer.power_off()
        self.backlight.percent = 0
        self.light.power_off()

    def power_on(self) -> None:
        """Cold-start the chips on the board's supply. The printer and the reader's field stay as they are."""
        self.reader.power_on()
