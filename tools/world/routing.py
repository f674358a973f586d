# SPDX-License-Identifier: MIT
"""Routes bus, pin and select-line traffic of the board to the chips. Chips are plain synchronous objects."""

from typing import Protocol

from boards.unix import wiring

REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class SpiChip(Protocol):
    """A chip on an SPI bus. It may also have pin(name, level), level(name) -> int and tick(now_ms)."""

    def select(self) -> None: ...
    def deselect(self) -> None: ...
    def transfer(self, out: bytes) -> bytes:
        """Exchange bytes, full duplex, in the chip's own bit order."""
        ...


class I2cChip(Protocol):
    """A chip on an I2C bus. It may also have level(name) -> int and tick(now_ms)."""

    def write(self, data: bytes) -> bool:
        """Take a transfer. Returns whether the address was acknowledged."""
        ...

    def read(self, size: int) -> bytes | None:
        """So many bytes, or None if the address was not acknowledged."""
        ...


class UartPeer(Protocol):
    """A device on a UART. It may also have tick(now_ms), and `sending`: whether bytes are on the line."""

    def receive(self, data: bytes) -> None: ...
    def send(self) -> bytes:
        """Take the bytes waiting for the terminal."""
        ...


class _SpiBus:
    def __init__(self) -> None:
        self.selected: SpiChip | None = None
        self.chip_lsb_first = False
        self.lsb_first = False


class Lines:
    """Routes the terminal's pin and bus operations to the chips, and returns the answers. `now` is in virtual ms."""

    def __init__(self) -> None:
        self.now = 0
        self.spi_bytes: dict[int, int] = {}  # bytes written so far, by bus
        self._buses: dict[int, _SpiBus] = {}
        self._selects: dict[int, tuple[_SpiBus, SpiChip, bool]] = {}
        self._i2c: dict[tuple[int, int], I2cChip] = {}
        self._into: dict[int, tuple[object, str]] = {}
        self._out_of: dict[int, tuple[object, str]] = {}
        self._resting: list[tuple[object, int]] = []
        self._peers: dict[int, UartPeer] = {}
        self._waiting: dict[int, bytearray] = {}
        self._live = 0

    def attach_spi(
        self,
        bus: int,
        select: int,
        chip: SpiChip,
        *,
        lsb_first: bool = False,
        inputs: dict[int, str] | None = None,
        outputs: dict[int, str] | None = None,
    ) -> None:
        """Attach a chip to SPI `bus`, selected while pin `select` is low; `inputs`, `outputs` name its other pins."""
        wire = self._buses.setdefault(bus, _SpiBus())
        self.spi_bytes.setdefault(bus, 0)
        self._selects[select] = (wire, chip, lsb_first)
        self.attach_pins(chip, inputs or {}, outputs or {})

    def attach_pins(
        self, chip: object, inputs: dict[int, str], outputs: dict[int, str], *, rests: bool = False
    ) -> None:
        """Attach a chip's input and output pins. With `rests`, outputs stay at their pull while `chip.idle` is true."""
        self._into.update({pin: (chip, name) for pin, name in inputs.items()})
        self._out_of.update({pin: (chip, name) for pin, name in outputs.items()})
        mask = sum(1 << pin for pin in outputs)
        if rests:
            self._resting.append((chip, mask))
        else:
            self._live |= mask

    def pwm(self, pin: int, frequency: int, duty: int) -> None:
        """The terminal sets a square wave: Hz, and duty in 65536ths."""
        source = self._into.get(pin)
        if source:
            self._tick(source[0])
            source[0].wave(frequency, duty)  # type: ignore[attr-defined]

    def detach_spi(self, select: int) -> None:
        """Take the chip with this select pin off its bus."""
        wire = self._selects.pop(select)[0]
        wire.selected = None

    def attach_i2c(self, bus: int, address: int, chip: I2cChip, *, outputs: dict[int, str] | None = None) -> None:
        """Attach a chip to I2C `bus`; `outputs` names its other pins."""
        self._i2c[bus, address] = chip
        self.attach_pins(chip, {}, outputs or {})

    def i2c_write(self, bus: int, address: int, data: bytes) -> bool:
        """One write transfer. Returns whether a chip acknowledged its address."""
        chip = self._i2c.get((bus, address))
        if chip is None:
            return False
        self._tick(chip)
        return chip.write(data)

    def i2c_read(self, bus: int, address: int, size: int) -> bytes | None:
        """One read transfer of `size` bytes, None if no chip acknowledged its address."""
        chip = self._i2c.get((bus, address))
        if chip is None:
            return None
        self._tick(chip)
        return chip.read(size)

    def attach_uart(self, uart: int, peer: UartPeer) -> None:
        self._peers[uart] = peer
        self._waiting[uart] = bytearray()

    def power_off(self) -> None:
        """Lose power: deselect every chip and drop the bytes in transit."""
        for wire in self._buses.values():
            wire.selected = None
        for waiting in self._waiting.values():
            waiting.clear()

    def pin_write(self, pin: int, level: int) -> None:
        chosen = self._selects.get(pin)
        if chosen:
            self._select(*chosen, level)
            return
        into = self._into.get(pin)
        if into:
            self._tick(into[0])
            into[0].pin(into[1], level)  # type: ignore[attr-defined]

    def pin_read(self, pin: int) -> int:
        source = self._out_of.get(pin)
        if not source:
            return 1
        self._tick(source[0])
        return source[0].level(source[1])  # type: ignore[attr-defined]

    def spi_setup(self, bus: int, lsb_first: bool, hz: int = 0) -> None:
        """Set bit order and clock. A chip that has `hz` is told its clock."""
        wire = self._buses.setdefault(bus, _SpiBus())
        wire.lsb_first = lsb_first
        for on, chip, _ in self._selects.values():
            if on is wire and hasattr(chip, "hz"):
                chip.hz = hz  # type: ignore[attr-defined]

    def spi_transfer(self, bus: int, data: bytes) -> bytes:
        """Exchange bytes, full duplex. If no chip is selected the line floats high."""
        wire = self._buses.setdefault(bus, _SpiBus())
        self.spi_bytes[bus] = self.spi_bytes.get(bus, 0) + len(data)
        chip = wire.selected
        if chip is None:
            return b"\xff" * len(data)
        self._tick(chip)
        if wire.lsb_first == wire.chip_lsb_first:
            return chip.transfer(data)
        return chip.transfer(data.translate(REVERSED)).translate(REVERSED)

    def uart_write(self, uart: int, data: bytes) -> None:
        peer = self._peers.get(uart)
        if peer:
            self._tick(peer)
            peer.receive(data)

    def uart_read(self, uart: int, limit: int) -> bytes:
        waiting = self._collect(uart)
        data = bytes(waiting[:limit])
        del waiting[:limit]
        return data

    def uart_any(self, uart: int) -> int:
        return len(self._collect(uart))

    def live(self) -> int:
        """Bit mask of the inputs that may differ from their pull now, numbered as in boards/unix/wiring.py."""
        mask = self._live
        for chip, pins in self._resting:
            if not chip.idle:  # type: ignore[attr-defined]
                mask |= pins
        for uart, peer in self._peers.items():
            if self._collect(uart) or getattr(peer, "sending", False):
                mask |= 1 << (wiring.LIVE_UART + uart)
        return mask

    def _select(self, wire: _SpiBus, chip: SpiChip, lsb_first: bool, level: int) -> None:
        if level == 0 and wire.selected is not chip:
            self._tick(chip)
            wire.selected = chip
            wire.chip_lsb_first = lsb_first
            chip.select()
        elif level == 1 and wire.selected is chip:
            wire.selected = None
            chip.deselect()

    def _collect(self, uart: int) -> bytearray:
        peer = self._peers.get(uart)
        if peer is None:
            return bytearray()
        self._tick(peer)
        waiting = self._waiting[uart]
        waiting += peer.send()
        return waiting

    def _tick(self, chip: object) -> None:
        tick = getattr(chip, "tick", None)
        if tick:
            tick(self.now)
