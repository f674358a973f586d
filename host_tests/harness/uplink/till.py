# SPDX-License-Identifier: MIT
"""A terminal without screens inside MicroPython, and a minimal host that knows its keys."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from host_tests.harness.in_micropython.runner import Inside
from tools.device_key import device_key
from tools.host.keys import dukpt
from tools.host.keys.host_keys import TEST_BDK, TestKeys
from tools.host.tables.terminal_settings import OfflineLimits
from tools.host.wire import answers, codec, message
from tools.journal import image
from tools.provision.device import initial_key_block

SECRET = bytes(range(32, 64))
IKID = bytes.fromhex("1234567890123456")
JOURNAL_SIZE = 16 * 4096
KEYRING_SIZE = 8 * 4096
TRACK = "6222020000000001D30122011234500000"
NOON = datetime.datetime(2026, 8, 17, 12, 0, 0)
ZONE = "20"  # in a handshake's answer: 32 quarter hours ahead of UTC
NOON_SECONDS = int((NOON - datetime.datetime(2000, 1, 1)).total_seconds())
ANY = OfflineLimits(payment=10**9, total=10**11, count=60000, heard_hours=1000, unsent_hours=1000, per_card=255)
YES, NO, REVERSE = 1, 2, 4
FINAL_NO = ("05", "14", "51", "54", "61", "10", "12", "25", "ZZ")  # final refusals of a deferred payment
LATER = ("09", "68", "90", "91", "92", "96", "98", "99", "A0", "A7", "97")


def track(card: int) -> str:
    """Track 2 of card number `card`."""
    return f"62220200{card:08d}D30122011234500000"


class Till:
    """A terminal whose chip is a file. Other methods are the functions of cases_till.py. A second `boot` restarts it."""

    def __init__(self, inside: Inside, path: Path) -> None:
        self.inside, self.path = inside, path
        block = initial_key_block(device_key(SECRET, b"kbpk"), IKID, TEST_BDK)
        path.write_bytes(b"\xff" * JOURNAL_SIZE + block.ljust(KEYRING_SIZE, b"\xff"))
        self._boots = 0

    def __getattr__(self, call: str) -> Callable[..., Any]:
        return lambda *args: self.inside("till", call, *args)

    def boot(self, limits: OfflineLimits | None = ANY, heard: bool = True, **options: Any) -> dict[str, Any]:
        """Power on. `heard`: the host was just heard, so that deferred payments are possible. Returns the state."""
        self._boots += 1
        packed = limits.pack().hex() if limits else ""
        options = {"time": NOON_SECONDS, "trusted": True, "seed": self._boots, **options}
        state = self.inside("till", "boot", str(self.path), SECRET.hex(), {"limits": packed, **options})
        if heard and not state["heard"]:
            self.inside("till", "hear", NOON_SECONDS)
        return self.inside("till", "state")

    def restart(self, **options: Any) -> dict[str, Any]:
        """Power off and on again."""
        self.inside("till", "save")
        return self.boot(**options)

    def sells(self, count: int, amount: int = 1000) -> list[int]:
        """Deferred sales to different cards, ignoring the limits; their sequences."""
        return [self.take(amount + index, track(index)) for index in range(count)]

    def chip(self) -> bytes:
        """The current chip image."""
        self.inside("till", "save")
        return self.path.read_bytes()

    def read(self) -> image.Journal:
        """The journal as the independent reader finds it."""
        return image.read(self.chip()[:JOURNAL_SIZE], image.journal_key(SECRET))


class TinyHost:
    """Checks every frame as the host does, and answers as the test asks. Keeps all requests in `seen`."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self.seen: list[message.Message] = []
        self.counter = 0
        self.batch = 1
        self.time = NOON
        self.used = 0  # the last message counter that a handshake reports as used; 0 = the last one seen

    def take(self, data: str) -> list[message.Message]:
        """The requests in these hex bytes. Checks framing, MACs and KSNs."""
        buffer = bytearray.fromhex(data)
        found = [message.read(frame) for frame in codec.split(buffer)]
        assert not buffer, "the courier sends whole frames"
        for request in found:
            assert request.mac_holds(TestKeys()) and request.ksn[:8] == IKID
            assert request.counter > self.counter, "message KSNs rise"
            self.counter = request.counter
        self.seen += found
        return found

    def answer(self, request: message.Message, code: str = "00", text: str = "", **elements: str) -> bytes:
        """A host's answer. `elements` override data elements, as `_39="..."`."""
        if request.mti == "0800":
            high = "00000000" + "00" * 8
            free = "0100" + "0001" + high + f"{self.time:%Y%m%d%H%M%S}" + f"{self.used or self.counter:08X}" + ZONE
            form = f"00{self.batch:06}900"
            elements = {"_39": code, "_62": free, "_60": form, **elements}
        elif request.mti == "0500":
            digits = request.fields["48"]
            elements = {"_48": digits[:30] + "1" + digits[31:61] + "1", "_49": "156", **elements}
        else:
            elements = {"_39": code, **elements}
            if code == "00" and request.mti in ("0100", "0200"):
                elements = {"_37": "123456789012", "_38": "A1B2C3", **elements}
        return answers.add_envelope(answers.compose(request, self.time, text, **elements), request, TestKeys())

    def connect(self, **elements: str) -> message.Message:
        """Open a new connection and answer its handshake; returns the handshake request."""
        self.till.open()
        (request,) = self.take(self.till.fill())
        assert request.mti == "0800"
        self.till.feed(self.answer(request, **elements).hex())
        return request

    def pull(self) -> list[message.Message]:
        """All requests that the courier sends before it needs an answer."""
        found: list[message.Message] = []
        while data := self.till.fill():
            found += self.take(data)
        return found

    def settle(self, decide: Callable[[message.Message], str] = lambda request: "00") -> list[message.Message]:
        """Answer all requests, window by window, until there are none; returns them."""
        found: list[message.Message] = []
        while requests := self.pull():
            found += requests
            for request in requests:
                self.till.feed(self.answer(request, decide(request)).hex())
        return found


def content(request: message.Message) -> bytes:
    """The part of a frame that a repeat must not change: all but TPDU, DE 53, DE 64 and the status nibble."""
    frame = request.frame
    at = frame.index(b"\x12" + request.ksn)
    return frame[5:7] + frame[8:at] + frame[at + 13 : -8]


def working(request: message.Message, usage: int) -> bytes:
    """The working key for this usage of a message's KSN."""
    return dukpt.working_key(TEST_BDK, request.ksn, usage)


def kinds(till: Till, sequence: int) -> list[int]:
    """The kinds of all marks about one record of the open batch, in the order written."""
    return [kind for about, kind in till.marks() if about == sequence]


def broken(answer: bytes) -> str:
    """The answer with one bit of its MAC flipped, in hex."""
    return (answer[:-1] + bytes([answer[-1] ^ 1])).hex()
