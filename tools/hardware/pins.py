# SPDX-License-Identifier: MIT
"""Runs a board.py under CPython with recording `machine`, `esp32` and `network` modules, and judges its pins.

Everything the board makes is made: Board(), printer(), scanner(), and the pins of a buzzer and a light. Drivers are replaced by
recorders, because only what reaches the chip's pins matters here.
"""

import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.hardware.chips import Chip

IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN = "in", "out", "open-drain", "pull-up", "pull-down"
_SPI, _UART = ("sck", "mosi", "miso"), ("tx", "rx")
_ANY_PINS_HZ = 26_666_666  # the fastest SPI through the GPIO matrix


@dataclass
class Use:
    """One use of one pin. `what` is for people: "Display SCK"."""

    gpio: int
    what: str
    mode: str  # IN, OUT or OPEN_DRAIN
    pull: str = ""  # PULL_UP, PULL_DOWN or nothing


@dataclass
class _Pin:
    gpio: int
    mode: str = ""
    pull: str = ""
    value: int | None = None


@dataclass
class _Bus:
    pins: dict[str, _Pin]  # by signal; only what is connected


@dataclass
class Recorder:
    """Collects the pins that a board makes, then the names that its drivers give them."""

    chip: Chip
    made: list[_Pin] = field(default_factory=list)
    uses: list[Use] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)  # buses that cannot work

    def pin(self, gpio: int, mode: str = "", pull: str | None = None, value: int | None = None) -> _Pin:
        made = _Pin(gpio, mode, pull or "", value)
        self.made.append(made)
        return made

    def spi(self, number: int, baudrate: int = 0, firstbit: int = 0, **given: Any) -> _Bus:
        bus = self._bus(f"SPI({number})", _SPI, given, "miso")
        wires = [bus.pins[signal].gpio if signal in bus.pins else None for signal in _SPI]
        fast = self.chip.fast_spi.get(number, (-1, -1, -1))
        if baudrate > _ANY_PINS_HZ and any(wire not in (None, own) for wire, own in zip(wires, fast, strict=True)):
            self.bad.append(f"SPI({number}): {baudrate} Hz needs the pins of the IO_MUX")
        return bus

    def uart(self, number: int, baudrate: int = 0, **given: Any) -> _Bus:
        return self._bus(f"UART({number})", _UART, given, "rx")

    def _bus(self, name: str, signals: tuple[str, ...], given: dict[str, Any], inwards: str) -> _Bus:
        """`given` maps signals to pins, their numbers, or None for not connected."""
        bus = _Bus({})
        for signal in signals:
            if signal not in given:
                self.bad.append(f"{name}: names no {signal}, so the port takes a pin of its own choice")
            elif given[signal] is not None:
                pin = given[signal] if isinstance(given[signal], _Pin) else self.pin(given[signal])
                pin.mode = IN if signal == inwards else OUT
                bus.pins[signal] = pin
        return bus

    def driver(self, name: str, *signals: str) -> Callable[..., None]:
        """A stand-in for a driver that names its arguments."""

        def make(*given: Any) -> None:
            for signal, value in zip(signals, given, strict=False):
                self._name(name, signal, value)

        return make

    def _name(self, part: str, signal: str, value: Any) -> None:
        if isinstance(value, _Pin):
            self.uses.append(Use(value.gpio, f"{part} {signal}", value.mode, value.pull))
        elif isinstance(value, _Bus):
            for wire, pin in value.pins.items():
                self._name(part, wire.upper(), pin)
        elif isinstance(value, (list, tuple)):
            for number, pin in enumerate(value, 1):
                self._name(part, f"{signal} {number}", pin)


def _modules(recorder: Recorder) -> dict[str, types.ModuleType]:
    def module(name: str, **names: Any) -> types.ModuleType:
        made = types.ModuleType(name)
        vars(made).update(names)
        return made

    class Pin:
        IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN = IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN

        def __new__(cls, *given: Any, **named: Any) -> Any:
            return recorder.pin(*given, **named)

    class SPI:
        LSB, MSB = 1, 0

        def __new__(cls, *given: Any, **named: Any) -> Any:
            return recorder.spi(*given, **named)

    class UART:
        def __new__(cls, *given: Any, **named: Any) -> Any:
            return recorder.uart(*given, **named)

    class NVS:
        def __init__(self, name: str) -> None: ...

        def get_blob(self, name: str, buffer: bytearray) -> int:
            return len(buffer)

    class WLAN:
        IF_STA = STA_IF = 0

        def __init__(self, interface: int = 0) -> None: ...

    class Esp32Board:
        buzzer = led = None

    def output(gpio: int, level: int = 1) -> _Pin:
        return recorder.pin(gpio, OUT, value=level)

    drivers = {
        "ili9341": ("ILI9341", recorder.driver("Display", "bus", "CS", "DC", "RST", "LED")),
        "pn532_spi": ("SpiLink", recorder.driver("Reader", "bus", "CS")),
        "pn532": ("PN532", recorder.driver("Reader", "link", "IRQ", "RST")),
        "keypad": ("Keypad", recorder.driver("Keypad", "row", "column")),
        "wifi": ("Wifi", recorder.driver("Wi-Fi")),
        "escpos": ("Printer", recorder.driver("Printer", "bus")),
        "scanner": ("Scanner", recorder.driver("Scanner", "bus")),
    }
    made = {
        "machine": module("machine", Pin=Pin, SPI=SPI, UART=UART),
        "esp32": module("esp32", NVS=NVS),
        "network": module("network", WLAN=WLAN, STA_IF=0),
        "kassa.drivers.esp32_board": module("kassa.drivers.esp32_board", Esp32Board=Esp32Board, output=output),
    }
    for name, (entry, driver) in drivers.items():
        made[f"kassa.drivers.{name}"] = module(f"kassa.drivers.{name}", **{entry: driver})
    for name in ("kassa", "kassa.drivers"):
        made[name] = module(name, __path__=[])
    return made


@contextmanager
def _in_place_of(modules: dict[str, types.ModuleType]) -> Iterator[None]:
    hidden = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name, old in hidden.items():
            if old is None:
                del sys.modules[name]
            else:
                sys.modules[name] = old


def uses(path: Path, chip: Chip) -> list[Use]:
    """Every use of a pin by a board.py, in the order of its drivers. Raises what the board raises."""
    return _run(path, chip).uses


def judge(path: Path, chip: Chip, psram: bool = False) -> list[str]:
    """What is wrong with the pins of a board.py, one line each."""
    recorder = _run(path, chip)
    return recorder.bad + problems(recorder.uses, chip, psram)


def _run(path: Path, chip: Chip) -> Recorder:
    recorder = Recorder(chip)
    with _in_place_of(_modules(recorder)):
        names: dict[str, Any] = {"__name__": "board", "__file__": str(path)}
        exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
        board = names["Board"]()
        board.printer()
        board.scanner()
        if board.buzzer is not None:
            board.buzzer.mode = OUT
            recorder._name("Buzzer", "signal", board.buzzer)
        recorder._name("Light", "signal", board.led)
    named = {use.gpio for use in recorder.uses}
    for pin in recorder.made:  # a pin that reached no driver is in use all the same
        if pin.gpio not in named:
            recorder.uses.append(Use(pin.gpio, "not named", pin.mode, pin.pull))
    return recorder


def problems(found: list[Use], chip: Chip, psram: bool = False) -> list[str]:
    """What is wrong with these uses, one line each."""
    bad = []
    taken: dict[int, str] = {}
    for use in found:
        pin = f"GPIO {use.gpio} ({use.what})"
        if use.gpio in taken:
            bad.append(f"{pin}: already used by {taken[use.gpio]}")
        taken.setdefault(use.gpio, use.what)
        if use.gpio not in chip.pins:
            bad.append(f"{pin}: does not exist on {chip.name}")
        if use.gpio in chip.forbidden:
            bad.append(f"{pin}: {chip.forbidden[use.gpio]}")
        if psram and use.gpio in chip.with_psram:
            bad.append(f"{pin}: {chip.with_psram[use.gpio]}")
        if use.gpio in chip.input_only and use.mode != IN:
            bad.append(f"{pin}: {use.mode} on a pin that is an input only")
        if use.gpio in chip.input_only and use.pull:
            bad.append(f"{pin}: {use.pull} on a pin that has none")
    return bad


def externally_pulled(use: Use, chip: Chip) -> bool:
    """Whether an input needs a resistor of its own: the keypad's columns and the reader's IRQ, where the pin has none."""
    return use.gpio in chip.input_only and use.what.startswith(("Keypad column", "Reader IRQ"))
