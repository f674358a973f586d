# SPDX-License-Identifier: MIT
"""The parts of the ESP32 port's `machine` that boards use: pins, SPI, I2C, UART, PWM, watchdog, reset; over the bus."""

import io
import os
import struct
import time

from micropython import const

import bus
import wiring

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_Y2000 = 946684800  # on Unix, whose time begins in 1970
_CHUNK = const(32768)
_EINVAL = const(-22)
_POLL = const(3)  # stream ioctl: returns which of the requested conditions hold
_POLL_IN = const(1)
_POLL_OUT = const(4)
_RTC_SIZE = const(2048)

_hello = bus.hello()
mode = _hello[0]
time.jumping = bool(mode & wiring.MAY_JUMP)


def __getattr__(name: str) -> type:
    """Peripherals that the board itself does not use are loaded when they are asked for."""
    if name == "I2C":
        from i2c import I2C

        return I2C
    if name == "PWM":
        from pwm import PWM

        return PWM
    raise AttributeError(name)


def reset_cause() -> int:
    return _hello[1]


def unique_id() -> bytes:
    return _hello[2:]


def reset() -> None:
    """Restart the terminal. Does not return."""
    restart(SOFT_RESET)


def restart(cause: int) -> None:
    """End this process. The world starts the next one, with `cause` as its reset cause."""
    bus.post(wiring.RESET, cause)
    bus.answer(bytearray(1))


if _hello[1] == PWRON_RESET and "rtc.bin" in os.listdir():
    os.remove("rtc.bin")


class RTC:
    """The chip's clock and the RTC's memory.

    The clock wakes at 2000-01-01 and runs with the ticks. The memory is kept in a file: a reset of any cause keeps it,
    a power loss does not.
    """

    _wake = _Y2000 - time.elapsed_s()  # the same for every object

    def datetime(self, date: tuple | None = None) -> tuple | None:
        """(year, month, day, weekday, hour, minute, second, microsecond); with `date`, set the clock."""
        if date is not None:
            RTC._wake = time.mktime(date[:3] + date[4:7] + (0, 0)) - time.elapsed_s()
            return None
        year, month, day, hour, minute, second, weekday = time.gmtime(RTC._wake + time.elapsed_s())[:7]
        return year, month, day, weekday, hour, minute, second, 0

    def memory(self, data: bytes | None = None) -> bytes | None:
        """The bytes written last, at most 2048; with `data`, write them. Raises ValueError for more."""
        if data is not None:
            if len(data) > _RTC_SIZE:
                raise ValueError("buffer too long")
            with open("rtc.bin", "wb") as file:
                file.write(data)
            return None
        try:
            with open("rtc.bin", "rb") as file:
                return file.read()
        except OSError:
            return b""


class Pin:
    """One pin. An input whose chip is idle reads as its pull, without asking the world."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2

    def __init__(self, id: int, mode: int = -1, pull: int | None = -1, *, value: int | None = None) -> None:
        self._id = id
        self._level = 0
        self._mode = self.IN
        self._rest = 0
        self.init(mode, pull, value=value)

    def init(self, mode: int = -1, pull: int | None = -1, *, value: int | None = None) -> None:
        if mode != -1:
            self._mode = mode
        if pull != -1:
            self._rest = int(pull == self.PULL_UP)
        if value is not None:
            self.value(value)
        elif mode in (self.OUT, self.OPEN_DRAIN):
            self.value(self._level)
        elif mode == self.IN:  # released: the line follows its pull
            self._drive(self._rest)

    def value(self, level: int | None = None) -> int | None:
        if level is not None:
            self._drive(1 if level else 0)
            return None
        if self._mode == self.OUT:
            return self._level
        if not bus.is_live(self._id):
            return self._rest
        return bus.ask_number(wiring.PIN_READ, self._id, 1)

    def _drive(self, level: int) -> None:
        self._level = level
        bus.post(wiring.PIN_WRITE, self._id, b"\x01" if level else b"\x00")

    def __call__(self, level: int | None = None) -> int | None:
        return self.value(level)

    def on(self) -> None:
        self.value(1)

    def off(self) -> None:
        self.value(0)


class SPI:
    """A hardware SPI bus. The chip select pins decide which chip is addressed."""

    MSB = 0
    LSB = 1

    def __init__(
        self,
        id: int,
        baudrate: int = 1000000,
        *,
        polarity: int = 0,
        phase: int = 0,
        bits: int = 8,
        firstbit: int = MSB,
        sck: Pin | None = None,
        mosi: Pin | None = None,
        miso: Pin | None = None,
    ) -> None:
        self._id = id
        self._request = bytearray(3)
        self.init(baudrate, polarity=polarity, phase=phase, bits=bits, firstbit=firstbit)

    def init(
        self, baudrate: int = 1000000, *, polarity: int = 0, phase: int = 0, bits: int = 8, firstbit: int = MSB
    ) -> None:
        bus.post(wiring.SPI_SETUP, self._id, struct.pack(b"<IBBB", baudrate, polarity, phase, firstbit))

    def deinit(self) -> None:
        pass

    def write(self, data) -> None:
        if len(data) <= _CHUNK:
            bus.post(wiring.SPI_WRITE, self._id, data)
            return
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            bus.post(wiring.SPI_WRITE, self._id, view[start : start + _CHUNK])

    def readinto(self, into, write: int = 0) -> None:
        struct.pack_into(b"<HB", self._request, 0, len(into), write)
        bus.post(wiring.SPI_READ, self._id, self._request)
        bus.answer(into)

    def read(self, size: int, write: int = 0) -> bytes:
        into = bytearray(size)
        self.readinto(into, write)
        return bytes(into)

    def write_readinto(self, data, into) -> None:
        if len(data) != len(into):
            raise ValueError("buffers must be the same length")
        bus.post(wiring.SPI_TRANSFER, self._id, data)
        bus.answer(into)


class UART(io.IOBase):
    """A UART, also as a stream for asyncio."""

    def __init__(
        self,
        id: int,
        baudrate: int = 115200,
        bits: int = 8,
        parity: int | None = None,
        stop: int = 1,
        tx: Pin | int | None = None,
        rx: Pin | int | None = None,
        rxbuf: int = 256,
        timeout: int = 0,
    ) -> None:
        self._id = id
        self._limit = bytearray(2)

    def any(self) -> int:
        if not bus.is_live(wiring.LIVE_UART + self._id):
            return 0
        return bus.ask_number(wiring.UART_ANY, self._id, 2)

    def write(self, data) -> int:
        bus.post(wiring.UART_WRITE, self._id, data)
        return len(data)

    def readinto(self, into, limit: int = -1) -> int | None:
        """Read the waiting bytes into `into`. Returns their number, or None if there are none."""
        struct.pack_into(b"<H", self._limit, 0, len(into) if limit < 0 else min(limit, len(into)))
        size = bus.ask_number(wiring.UART_READ, self._id, 2, self._limit)
        bus.answer(into, size)
        return size or None

    def read(self, limit: int = -1) -> bytes | None:
        into = bytearray(self.any() if limit < 0 else limit)
        size = self.readinto(into)
        return bytes(memoryview(into)[:size]) if size else None

    def readline(self) -> bytes | None:
        """The waiting bytes up to the end of a line, or None if there are none."""
        line = b""
        for _ in range(self.any()):
            line += self.read(1) or b""
            if line.endswith(b"\n"):
                break
        return line or None

    def ioctl(self, request: int, flags: int) -> int:
        if request != _POLL:
            return _EINVAL
        return flags & (_POLL_OUT | (_POLL_IN if bus.is_live(wiring.LIVE_UART + self._id) else 0))


class WDT:
    """The watchdog. Resets the terminal if it was not fed in time, by ticks or by the real clock (with some grace)."""

    due = -1  # ticks; -1 = never started
    _timeout = bytearray(4)

    def __init__(self, id: int = 0, timeout: int = 5000) -> None:
        struct.pack_into(b"<I", WDT._timeout, 0, timeout)
        self._ms = timeout
        self.feed()

    def feed(self) -> None:
        WDT.due = time.ticks_add(time.ticks_ms(), self._ms)
        bus.post(wiring.WATCHDOG, 0, WDT._timeout)
