# SPDX-License-Identifier: MIT
"""The NXP PN532 behind its host link: a state machine of modes, RF field and targets that runs host commands (UM0701-02).

Host payloads start with the command code (after TFI D4); replies start with the code + 1 (after TFI D5).
"""

from __future__ import annotations

from collections.abc import Callable

from tools.cards.card import Card
from tools.cards.isodep import TIMEOUT, Pcd, Picc, RfError

SYNTAX_ERROR = b"\x7f"  # the error frame's only byte
NOT_ACCEPTABLE, INVALID_PARAMETER = 0x27, 0x10
MORE = 0x40  # "more information": in the target byte from the host, in the status byte from the chip
DATA_MAX = 262  # bytes of data beside code and target or status
FOREVER = 0xFF
_FIFO_DATA = 0x6339
_REQA = 0x26
_POLL_MS = 5  # one try of anticollision and activation
_BYTE_US = 95  # a byte at 106 kbit/s with its parity, rounded up
_WAKE = {"hsu": 0x10, "spi": 0x20, "i2c": 0x80}
_BEFORE_SAM = {0x00, 0x02, 0x04, 0x06, 0x08, 0x10, 0x12, 0x14, 0x16}  # in LowVbat: everything that needs no RF


class Field:
    """What lies on the reader. Removing a card ends its power: put back, it must be activated anew."""

    def __init__(self) -> None:
        self.piccs: list[Picc] = []

    def place(self, card: Card) -> None:
        """Bring `card` into the field."""
        self.piccs = [*self.piccs, Picc(card)]

    def remove(self, card: Card | None = None) -> None:
        """Take one card away, or all."""
        for picc in self.piccs:
            if card is None or picc.card is card:
                picc.present = False
        self.piccs = [picc for picc in self.piccs if picc.present]


class Target:
    """A listed card: its number is its place in the chip's table, 1 or 2."""

    def __init__(self, picc: Picc, number: int, info: bytes, pcd: Pcd | None) -> None:
        self.picc = picc
        self.number = number
        self.info = info  # as InListPassiveTarget reports it, the number first
        self.pcd = pcd  # None: layer 4 is left to the host
        self.command = b""
        self.answer = b""


class PN532:
    """`start()` runs a host command, `poll()` gives its reply when it is ready; `tick()` gives the chip a sense of time.

    Without ticks every command takes no time, except those that wait for a card for ever.
    """

    def __init__(self, field: Field | None = None) -> None:
        self.field = field or Field()
        self.power_on()

    def power_on(self) -> None:
        """Cold start: asleep in LowVbat, field off."""
        self.asleep = True
        self.normal = False
        self.irq_enabled = False
        self.rf_on = False
        self.targets: list[Target] = []
        self._wake_sources = 0xFF
        self._registers: dict[int, int] = {}
        self._parameters = 0x14
        self._retries = FOREVER
        self._error = 0
        self._now: int | None = None
        self.abort()

    def tick(self, now_ms: int) -> None:
        """Virtual milliseconds since power-on."""
        self._now = now_ms

    def wake(self, link: str) -> None:
        """The host shows life on its link ("hsu", "spi", "i2c")."""
        if self._wake_sources & _WAKE[link]:
            self.asleep = False

    def abort(self) -> None:
        """The host's ACK, or a new command: whatever runs is forgotten."""
        self._work: Callable[[], bytes | None] | None = None
        self._ready_at = 0

    def start(self, payload: bytes) -> None:
        """Begin one host command."""
        self.abort()
        handler = self._COMMANDS.get(payload[0]) if payload else None
        if handler is None or (not self.normal and payload[0] not in _BEFORE_SAM):
            self._answer(SYNTAX_ERROR)
            return
        reply = handler(self, payload[1:])
        if reply is not None:
            self._answer(reply if reply == SYNTAX_ERROR else bytes((payload[0] + 1,)) + reply)

    def poll(self) -> bytes | None:
        """The reply's payload (after TFI), SYNTAX_ERROR, or None while the command still runs."""
        if self._work is None or (self._now is not None and self._now < self._ready_at):
            return None
        reply = self._work()
        if reply is not None:
            self._work = None
        return reply

    def _answer(self, reply: bytes) -> None:
        self._work = lambda: reply

    def _take(self, ms: int) -> None:
        """The command under way takes `ms` longer."""
        if self._now is not None:
            self._ready_at = max(self._ready_at, self._now) + ms

    # --- housekeeping -----------------------------------------------------------------------------------------------

    def _diagnose(self, data: bytes) -> bytes:
        if not data or data[0] > 0x07:
            return SYNTAX_ERROR
        return data if data[0] == 0 else b"\x00"  # 00: communication line test, the rest: "good"

    def _firmware_version(self, data: bytes) -> bytes:
        return SYNTAX_ERROR if data else b"\x32\x01\x06\x07"

    def _general_status(self, data: bytes) -> bytes:
        table = b"".join(bytes((target.number, 0, 0, 0)) for target in self.targets)
        return bytes((self._error, self.rf_on, len(self.targets))) + table + b"\x80"

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
        self._parameters = data[0]
        return b""

    def _sam_configuration(self, data: bytes) -> bytes:
        if not 1 <= len(data) <= 3 or not 1 <= data[0] <= 4:
            return SYNTAX_ERROR
        self.normal = True
        self.irq_enabled = len(data) < 3 or data[2] == 1
        return b""

    def _power_down(self, data: bytes) -> None | bytes:
        if not 1 <= len(data) <= 2:
            return SYNTAX_ERROR

        def sleep() -> bytes:
            self._field_off()
            self._wake_sources, self.asleep = data[0], True
            return b"\x17\x00"

        self._work = sleep
        return None

    # --- the field and its targets ----------------------------------------------------------------------------------

    def _rf_configuration(self, data: bytes) -> bytes:
        if len(data) < 2:
            return SYNTAX_ERROR
        if data[0] == 0x01 and not data[1] & 1:
            self._field_off()
        elif data[0] == 0x01:
            self.rf_on = True
        elif data[0] == 0x05 and len(data) == 4:
            self._retries = data[3]
        elif data[0] not in (0x02, 0x04, 0x0A, 0x0B, 0x0C, 0x0D):
            return SYNTAX_ERROR
        return b""

    def _field_off(self) -> None:
        self.rf_on = False
        self.targets = []
        for picc in self.field.piccs:
            picc.reset()

    def _list_targets(self, data: bytes) -> None | bytes:
        if len(data) < 2 or not 1 <= data[0] <= 2 or data[1] > 4 or (data[1] == 3 and len(data) < 3):
            return SYNTAX_ERROR
        wanted, technology = data[0], {0: "A", 3: "B"}.get(data[1], "")
        self.rf_on, self.targets = True, []
        tries = self._retries

        def work() -> bytes | None:
            nonlocal tries
            self._list(wanted, technology)
            if not self.targets and tries:
                tries -= tries != FOREVER
                self._take(_POLL_MS)
                return None if self._now is not None or tries == FOREVER else work()
            self._registers[_FIFO_DATA] = 0 if self.targets else _REQA
            return bytes((0x4B, len(self.targets))) + b"".join(target.info for target in self.targets)

        self._take(_POLL_MS)
        self._work = work
        return None

    def _list(self, wanted: int, technology: str) -> None:
        """Anticollision and activation of up to `wanted` idle cards."""
        for picc in self.field.piccs:
            if len(self.targets) == wanted:
                return
            if picc.card.technology != technology or picc.halted or not picc.present:
                continue
            if picc.active:  # a request in the active state only brings it back to idle; the retry finds it
                picc.reset()
            number = len(self.targets) + 1
            try:
                info, pcd = self._activate(picc, number)
            except RfError:
                continue
            self.targets.append(Target(picc, number, bytes((number,)) + info, pcd))

    def _activate(self, picc: Picc, number: int) -> tuple[bytes, Pcd | None]:
        card, pcd = picc.card, Pcd(picc.frame, number if number > 1 else 0)
        if card.technology == "B":
            picc.activate_b()
            return card.atqb + b"\x01\x00", pcd
        info = card.sens_res + bytes((card.sel_res, len(card.uid))) + card.uid
        if not card.sel_res & 0x20 or not self._parameters & 0x10:
            return info, None
        return info + pcd.activate(), pcd

    def _auto_poll(self, data: bytes) -> None | bytes:
        if len(data) < 3 or not data[0] or not 1 <= data[1] <= 15:
            return SYNTAX_ERROR
        rounds = data[0]
        self.rf_on, self.targets = True, []

        def work() -> bytes | None:
            nonlocal rounds
            for kind in data[2:]:
                self._list(2, "B" if kind & 0x0F == 0x03 else "A" if kind & 0x0F == 0 else "")
                if self.targets:
                    found = b"".join(bytes((kind, len(t.info))) + t.info for t in self.targets)
                    return bytes((0x61, len(self.targets))) + found
            rounds -= rounds != FOREVER
            self._take(data[1] * 150)
            if not rounds:
                return b"\x61\x00"
            return None if self._now is not None or rounds == FOREVER else work()

        self._work = work
        return None

    def _target(self, number: int) -> Target | None:
        return next((target for target in self.targets if target.number == number), None)

    def _deselect(self, data: bytes, forget: bool = False) -> bytes:
        if len(data) != 1:
            return SYNTAX_ERROR
        chosen = [target for target in self.targets if data[0] in (0, target.number)]
        if data[0] and not chosen:
            return bytes((NOT_ACCEPTABLE,))
        for target in chosen:
            target.picc.reset()
            target.picc.halted = True
            if forget:
                self.targets.remove(target)
        return b"\x00"

    def _release(self, data: bytes) -> bytes:
        return self._deselect(data, forget=True)

    def _select(self, data: bytes) -> bytes:
        target = self._target(data[0]) if len(data) == 1 else None
        if len(data) != 1:
            return SYNTAX_ERROR
        if target is None:
            return bytes((NOT_ACCEPTABLE,))
        if target.picc.halted:
            target.picc.reset()
            try:
                _, target.pcd = self._activate(target.picc, target.number)
            except RfError as error:
                return bytes((error.status,))
        return b"\x00"

    # --- talking to a card ------------------------------------------------------------------------------------------

    def _data_exchange(self, data: bytes) -> bytes:
        if not data or len(data) > 1 + DATA_MAX:
            return SYNTAX_ERROR
        target = self._target(data[0] & 0x0F)
        if target is None:
            return bytes((NOT_ACCEPTABLE,))
        if data[0] & MORE:
            target.command += data[1:]
            return b"\x00"
        try:
            if len(data) > 1 or target.command or not target.answer:
                command, target.command, target.answer = target.command + data[1:], b"", b""
                target.answer = self._over_the_air(target, command)
        except RfError as error:
            self._error = error.status
            return bytes((error.status,))
        part, target.answer = target.answer[:DATA_MAX], target.answer[DATA_MAX:]
        return bytes((MORE if target.answer else 0,)) + part

    def _over_the_air(self, target: Target, command: bytes) -> bytes:
        card = target.picc.card
        if target.pcd is None:
            answer = target.picc.frame(command)
            if answer is None:
                raise RfError(TIMEOUT)
        elif not command:
            if not target.pcd.present():
                raise RfError(TIMEOUT)
            answer = b""
        else:
            answer = target.pcd.exchange(command)
        self._take(1 + (len(command) + len(answer)) * _BYTE_US // 1000 + card.delay_ms)
        return answer

    def _communicate_thru(self, data: bytes) -> bytes:
        if not data or len(data) > 1 + DATA_MAX:
            return SYNTAX_ERROR
        for picc in self.field.piccs if self.rf_on else ():
            answer = picc.frame(data)
            if answer is not None:
                return b"\x00" + answer[:DATA_MAX]
        return bytes((TIMEOUT,))

    _COMMANDS: dict[int, Callable[[PN532, bytes], bytes | None]] = {
        0x00: _diagnose, 0x02: _firmware_version, 0x04: _general_status, 0x06: _read_register, 0x08: _write_register,
        0x10: _set_baud_rate, 0x12: _set_parameters, 0x14: _sam_configuration, 0x16: _power_down,
        0x32: _rf_configuration, 0x40: _data_exchange, 0x42: _communicate_thru, 0x44: _deselect, 0x4A: _list_targets,
        0x52: _release, 0x54: _select, 0x60: _auto_poll,
    }  # fmt: skip
