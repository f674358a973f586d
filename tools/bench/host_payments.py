# SPDX-License-Identifier: MIT
"""Payments for measuring the host: deferred card sales of one terminal, sealed as the terminal would."""

import os
import struct
from collections.abc import Iterator
from dataclasses import replace

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tools.bench.drain import _body
from tools.cards import catalogue
from tools.cards.visa import VisaCard
from tools.host.keys import dukpt, mac
from tools.host.keys.host_keys import TEST_BDK
from tools.host.keys.seal import Record, parse
from tools.host.transactions.terminals import Terminal
from tools.host.wire import as_sent, kinds
from tools.host.wire.message import Message

IKID = bytes.fromhex("1234567890123456")
MERCHANT = "898000000000001"


def terminal(number: int) -> Terminal:
    """A terminal by number. Each has a key id of its own."""
    ikid = IKID[:4] + struct.pack(">I", number)
    return Terminal(f"BENCH{number:03}", MERCHANT, ikid, 1, 1, 0, 0, "0" * 16, None)


class Till:
    """Makes the messages of one terminal, one after another."""

    def __init__(self, number: int) -> None:
        self.terminal = terminal(number)
        self._sequence, self._counter, self._tag = 0, 0, bytes(8)
        card = catalogue.make("coral")
        assert isinstance(card, VisaCard)
        card.atc = number * 600  # no two tills see the same tap
        self._card = card

    def sales(self, count: int) -> Iterator[Message]:
        """So many deferred sales of 1.00."""
        for _ in range(count):
            message = as_sent.message(self.terminal, self._record(), kinds.DEFERRED_SALE)
            yield replace(message, ksn=self.terminal.ikid + struct.pack(">I", self._next()))

    def _next(self) -> int:
        self._counter += 1
        while not dukpt.is_counter(self._counter):
            self._counter += 1
        return self._counter

    def _record(self) -> Record:
        self._sequence += 1
        counter = self._next()
        header = bytearray(64)
        struct.pack_into(">BBHI", header, 0, 0x51, 0x22, 1, self._sequence)
        header[8:24] = os.urandom(16)
        header[24:32] = bytes.fromhex(f"{100:012}0156")
        header[32:38] = bytes.fromhex(f"{self._sequence % 1_000_000:06}{1:06}")
        struct.pack_into(">IBBI", header, 38, counter, 0x07, 1, 800_000_000)
        header[48:53] = bytes.fromhex("4761730011")
        header[56:64] = self._tag
        ksn = self.terminal.ikid + struct.pack(">I", counter)
        key = dukpt.working_key(TEST_BDK, ksn, dukpt.DATA_ENCRYPT)
        encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
        tagged = bytes(header) + encryptor.update(os.urandom(16) + _body(self._card, 100))
        self._tag = mac.tag(dukpt.working_key(TEST_BDK, ksn, dukpt.MAC_BOTH_WAYS), tagged)
        return parse(tagged + self._tag)
