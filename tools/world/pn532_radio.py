# SPDX-License-Identifier: MIT
"""The RF half of the virtual PN532: the field with its cards, the target table, and exchanges over the air."""

from __future__ import annotations

from tools.cards.card import Card
from tools.cards.isodep import TIMEOUT, Pcd, Picc, RfError

NOT_ACCEPTABLE = 0x27  # no such target
MORE = 0x40  # "more information": in the target byte from the host, in the status byte from the chip
DATA_MAX = 262  # bytes of data, without the code and the target or status byte
_BYTE_US = 95  # one byte with parity at 106 kbit/s, rounded up


class Field:
    """The cards on the reader. A removed card loses power and must be activated again when put back."""

    def __init__(self) -> None:
        self.piccs: list[Picc] = []

    def place(self, card: Card) -> None:
        """Bring `card` into the field."""
        self.piccs = [*self.piccs, Picc(card)]

    def remove(self, card: Card | None = None) -> None:
        """Remove one card, or all."""
        for picc in self.piccs:
            if card is None or picc.card is card:
                picc.present = False
        self.piccs = [picc for picc in self.piccs if picc.present]


class Target:
    """A listed card. Its number is its place in the chip's table, 1 or 2."""

    def __init__(self, picc: Picc, number: int) -> None:
        self.picc = picc
        self.number = number
        self.pcd: Pcd | None = None  # None: the host handles layer 4
        self.info = b""  # as InListPassiveTarget reports it, starting with the number
        self.command = b""
        self.answer = b""

    def activate(self, layer4: bool) -> None:
        """Activate the card, up to layer 4 if it supports that and `layer4` is set. Raises RfError."""
        card = self.picc.card
        self.pcd = Pcd(self.picc.frame, self.number if self.number > 1 else 0)
        number = bytes((self.number,))
        if card.technology == "B":
            self.picc.activate_b()
            self.info = number + card.atqb + b"\x01\x00"
            return
        self.info = number + card.sens_res + bytes((card.sel_res, len(card.uid))) + card.uid
        if layer4 and card.sel_res & 0x20:
            self.info += self.pcd.activate()
        else:
            self.pcd = None


class Radio:
    """The field (on or off) and the listed targets. Status codes are the PN532's, 0 = good."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self.on = False
        self.layer4 = True  # the chip sends RATS
        self.targets: list[Target] = []
        self.air_ms = 0  # duration of the last exchange

    def off(self) -> None:
        """Switch the field off: every card loses power and is reset."""
        self.on = False
        self.targets = []
        for picc in self.field.piccs:
            picc.reset()

    def list(self, wanted: int, technology: str) -> None:
        """Run anticollision and activation: fill the table with up to `wanted` cards that are not halted."""
        self.on = True
        for picc in self.field.piccs:
            if len(self.targets) == wanted:
                return
            if picc.card.technology != technology or picc.halted or not picc.present:
                continue
            if picc.active:  # REQ only returns an active card to idle; the retry finds it
                picc.reset()
            target = Target(picc, len(self.targets) + 1)
            try:
                target.activate(self.layer4)
            except RfError:
                continue
            self.targets.append(target)

    def target(self, number: int) -> Target | None:
        """The listed target with this number, or None."""
        return next((target for target in self.targets if target.number == number), None)

    def deselect(self, number: int, forget: bool) -> int:
        """Halt a target, or all (0); `forget` also removes it from the table."""
        chosen = [target for target in self.targets if number in (0, target.number)]
        for target in chosen:
            target.picc.reset()
            target.picc.halted = True
            if forget:
                self.targets.remove(target)
        return 0 if chosen or not number else NOT_ACCEPTABLE

    def select(self, number: int) -> int:
        """Activate a deselected target again."""
        target = self.target(number)
        if target is None:
            return NOT_ACCEPTABLE
        if target.picc.halted:
            target.picc.reset()
            try:
                target.activate(self.layer4)
            except RfError as error:
                return error.status
        return 0

    def exchange(self, number: int, data: bytes, more: bool) -> bytes:
        """InDataExchange: returns status byte and data. `more`: the command continues in the next call. Empty data
        fetches the rest of a long answer, or checks that the card is still present."""
        self.air_ms = 0
        target = self.target(number)
        if target is None:
            return bytes((NOT_ACCEPTABLE,))
        if more:
            target.command += data
            return b"\x00"
        try:
            if data or target.command or not target.answer:
                command, target.command, target.answer = target.command + data, b"", b""
                target.answer = self._over_the_air(target, command)
        except RfError as error:
            return bytes((error.status,))
        part, target.answer = target.answer[:DATA_MAX], target.answer[DATA_MAX:]
        return bytes((MORE if target.answer else 0,)) + part

    def through(self, data: bytes) -> bytes:
        """InCommunicateThru: send one raw frame; returns status byte and the first card's answer."""
        for picc in self.field.piccs if self.on else ():
            answer = picc.frame(data)
            if answer is not None:
                return b"\x00" + answer[:DATA_MAX]
        return bytes((TIMEOUT,))

    def _over_the_air(self, target: Target, command: bytes) -> bytes:
        if target.pcd is None:
            answer = target.picc.frame(command)
        elif command:
            answer = target.pcd.exchange(command)
        else:
            answer = b"" if target.pcd.present() else None
        if answer is None:
            raise RfError(TIMEOUT)
        self.air_ms = 1 + (len(command) + len(answer)) * _BYTE_US // 1000 + target.picc.card.delay_ms
        return answer
