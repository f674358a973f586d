# SPDX-License-Identifier: MIT
"""The NXP PN532 behind its host link: a state machine that runs one host command at a time (UM0701-02, chapter 7).

Host payloads start with the command code (after TFI D4); replies start with the code + 1 (after TFI D5).
"""

from __future__ import annotations

from collections.abc import Callable

from tools.world.pn532_radio import DATA_MAX, MORE, Field, Radio

SYNTAX_ERROR = b"\x7f"  # the error frame's only byte
FOREVER = 0xFF
_FIFO_DATA = 0x6339
_REQA = 0x26
_POLL_MS = 5  # one attempt at anticollision and activation
_WAKE = {"hsu": 0x10, "spi": 0x20, "i2c": 0x80}
_BEFORE_SAM = {0x00, 0x02, 0x04, 0x06, 0x08, 0x10, 0x12, 0x14, 0x16}  # accepted in LowVbat: commands without RF


class PN532:
    """`start()` starts a host command, `poll()` returns its reply when ready, `tick()` sets the time.

    Without ticks a command takes no time, unless it waits for a card without limit.
    """

    def __init__(self, field: Field | None = None) -> None:
        self.field = field or Field()
        self.starts = 0  # count of power-ons; a link drops its queue when this changes
        self.power_on()

    def power_on(self) -> None:
        """Cold-start: asleep in LowVbat, field off."""
        self.starts += 1
        self.asleep = True
        self.normal = False
        self.irq_enabled = False
        self.radio = Radio(self.field)
        self.radio.off()
        self._wake_sources = 0xFF
        self._registers: dict[int, int] = {}
        self._retries = FOREVER
        self._error = 0
        self._now: int | None = None
        self.abort()

    def tick(self, now_ms: int) -> None:
        """Set the time, in virtual ms since power-on."""
        self._now = now_ms

    def wake(self, link: str) -> None:
        """Activity on the host link ("hsu", "spi", "i2c"): wake up if that source is enabled."""
        if self._wake_sources & _WAKE[link]:
            self.asleep = False

    def abort(self) -> None:
        """Abandon the running command: the host sent an ACK or a new command."""
        self._work: Callable[[], bytes | None] | None = None
        self._ready_at = 0

    def start(self, payload: bytes) -> None:
        """Start one host command."""
        self.abort()
        handler = self._COMMANDS.get(payload[0]) if payload else None
        if handler is None or (not self.normal and payload[0] not in _BEFORE_SAM):
            self._work = lambda: SYNTAX_ERROR
            return
        reply = handler(self, payload[1:])
        if reply is not None:
            whole = reply if reply is SYNTAX_ERROR else bytes((payload[0] + 1,)) + reply
            self._work = lambda: whole

    def poll(self) -> bytes | None:
        """The reply's payload (after TFI), SYNTAX_ERROR, or None while the command is still running."""
        if self._work is None or (self._now is not None and self._now < self._ready_at):
            return None
        reply = self._work()
        if reply is not None:
            self._work = None
        return reply

    def _take(self, ms: int) -> None:
        """Make the running command take `ms` longer."""
        if self._now is not None:
            self._ready_at = max(self._ready_at, self._now) + ms

    # Each handler takes the parameters and returns the reply's data, or None if `poll` is to do the work.

    def _diagnose(self, data: bytes) -> bytes:
        if not data or data[0] > 0x07:
            return SYNTAX_ERROR
        return data if data[0] == 0 else b"\x00"  # 00: communication line test, echoes; other tests report success

    def _firmware_version(self, data: bytes) -> bytes:
        return SYNTAX_ERROR if data else b"\x32\x01\x06\x07"

    def _general_status(self, data: bytes) -> bytes:
        table = b"".join(bytes((target.number, 0, 0, 0)) for target in self.radio.targets)
        return bytes((self._error, self.radio.on, len(self.radio.targets))) + table + b"\x80"

    def _read_register(self, data: bytes) -> bytes:
        if not data or len(data) % 2:
            return SYNTAX_ERROR
        addresses = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
        return bytes(self._registers.get(address, 0) for address in addresses)

    def _write_register(self, data: bytes) -> bytes:
        if not data or len(data) % 3:
            return SYNTAX_ERROR
        for at in range(0, len(data), 3):
            self._registers[int.from_bytes(data[at : at + 2], "big")] = data[at + 2]
        return b""

    def _set_baud_rate(self, data: bytes) -> bytes:
        return b"" if len(data) == 1 and data[0] <= 0x08 else SYNTAX_ERROR

    def _set_parameters(self, data: bytes) -> bytes:
        if len(data) != 1:
            return SYNTAX_ERROR
        self.radio.layer4 = bool(data[0] & 0x10)
        return b""

    def _sam_configuration(self, data: bytes) -> bytes:
        if not 1 <= len(data) <= 3 or not 1 <= data[0] <= 4:
            return SYNTAX_ERROR
        self.normal = True
        self.irq_enabled = len(data) < 3 or data[2] == 1
        return b""

    def _power_down(self, data: bytes) -> bytes | None:
        if not 1 <= len(data) <= 2:
            return SYNTAX_ERROR

        def sleep() -> bytes:
            self.radio.off()
            self._wake_sources, self.asleep = data[0], True
            return b"\x17\x00"

        self._work = sleep
        return None

    def _rf_configuration(self, data: bytes) -> bytes:
        if len(data) < 2:
            return SYNTAX_ERROR
        if data[0] == 0x01 and not data[1] & 1:
            self.radio.off()
        elif data[0] == 0x01:
            self.radio.on = True
        elif data[0] == 0x05 and len(data) == 4:
            self._retries = data[3]
        elif data[0] not in (0x02, 0x04, 0x0A, 0x0B, 0x0C, 0x0D):
            return SYNTAX_ERROR
        return b""

    def _list_targets(self, data: bytes) -> bytes | None:
        if len(data) < 2 or not 1 <= data[0] <= 2 or data[1] > 4 or (data[1] == 3 and len(data) < 3):
            return SYNTAX_ERROR
        technology = {0: "A", 3: "B"}.get(data[1], "")

        def found() -> bytes | None:
            self.radio.list(data[0], technology)
            targets = self.radio.targets
            self._registers[_FIFO_DATA] = 0 if targets else _REQA
            return bytes((len(targets),)) + b"".join(target.info for target in targets) if targets else None

        self._seek(0x4B, found, self._retries + (self._retries != FOREVER), _POLL_MS)
        return None

    def _auto_poll(self, data: bytes) -> bytes | None:
        if len(data) < 3 or not data[0] or not 1 <= data[1] <= 15:
            return SYNTAX_ERROR

        def found() -> bytes | None:
            for kind in data[2:]:
                self.radio.list(2, {0x00: "A", 0x03: "B"}.get(kind & 0x0F, ""))
                targets = self.radio.targets
                if targets:
                    return bytes((len(targets),)) + b"".join(bytes((kind, len(t.info))) + t.info for t in targets)
            return None

        self._seek(0x61, found, data[0], data[1] * 150)
        return None

    def _seek(self, code: int, found: Callable[[], bytes | None], tries: int, pause_ms: int) -> None:
        """Look for cards up to `tries` times (FOREVER: no limit). Without a card the reply is the count 0."""
        self.radio.targets = []
        left = tries

        def work() -> bytes | None:
            nonlocal left
            while True:
                cards = found()
                left -= left != FOREVER
                if cards is not None or not left:
                    return bytes((code,)) + (cards or b"\x00")
                self._take(pause_ms)
                if self._now is not None or left == FOREVER:
                    return None

        self._take(_POLL_MS)
        self._work = work

    def _deselect(self, data: bytes) -> bytes:
        return bytes((self.radio.deselect(data[0], forget=False),)) if len(data) == 1 else SYNTAX_ERROR

    def _release(self, data: bytes) -> bytes:
        return bytes((self.radio.deselect(data[0], forget=True),)) if len(data) == 1 else SYNTAX_ERROR

    def _select(self, data: bytes) -> bytes:
        return bytes((self.radio.select(data[0]),)) if len(data) == 1 else SYNTAX_ERROR

    def _data_exchange(self, data: bytes) -> bytes:
        if not data or len(data) > 1 + DATA_MAX:
            return SYNTAX_ERROR
        reply = self.radio.exchange(data[0] & 0x0F, data[1:], bool(data[0] & MORE))
        self._error = reply[0] & 0x3F
        self._take(self.radio.air_ms)
        return reply

    def _communicate_through(self, data: bytes) -> bytes:
        return self.radio.through(data) if len(data) <= 1 + DATA_MAX else SYNTAX_ERROR

    _COMMANDS: dict[int, Callable[[PN532, bytes], bytes | None]] = {
        0x00: _diagnose, 0x02: _firmware_version, 0x04: _general_status, 0x06: _read_register, 0x08: _write_register,
        0x10: _set_baud_rate, 0x12: _set_parameters, 0x14: _sam_configuration, 0x16: _power_down,
        0x32: _rf_configuration, 0x40: _data_exchange, 0x42: _communicate_through, 0x44: _deselect,
        0x4A: _list_targets, 0x52: _release, 0x54: _select, 0x60: _auto_poll,
    }  # fmt: skip
