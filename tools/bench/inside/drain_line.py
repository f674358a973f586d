# SPDX-License-Identifier: MIT
"""A main.py that sends the journal's queue over the firmware's connection, and prints how long that took.

These are set above it: `ONE`, to have one payment in flight at a time; `COUNTS`, to count rounds and bytes, which takes
extra time; and `CLOSES`, to close the batch at the end. It uses the firmware's heap threshold, but has no screen and no
keys to serve.
"""

import asyncio
import gc

gc.threshold(2048)  # as in the firmware's terminal.py

import json  # noqa: E402
from time import ticks_add, ticks_diff, ticks_ms  # noqa: E402

from board import Board  # noqa: E402
from kassa.clock import Clock, wake_rtc  # noqa: E402
from kassa.crypto.device_keys import JOURNAL, KBPK, KEYRING, SETTINGS, device_key  # noqa: E402
from kassa.desk.batch import totals  # noqa: E402
from kassa.status import Status  # noqa: E402
from kassa.uplink.batch_close import submit  # noqa: E402
from kassa.uplink.connection_task import ConnectionTask  # noqa: E402
from kassa.uplink.courier import Courier  # noqa: E402
from kassa.uplink.exchange import Exchange  # noqa: E402
from kassa.uplink.identity import Identity  # noqa: E402
from kassa.uplink.tls_channel import TlsChannel  # noqa: E402
from kassa.vault.journal.journal import Journal  # noqa: E402
from kassa.vault.journal.mount import mount  # noqa: E402
from kassa.vault.keyring.keyring import Keyring  # noqa: E402
from kassa.vault.settings import settings  # noqa: E402
from kassa.vault.settings.settings import Settings  # noqa: E402

_LONG_AGO_MS = 60000


class TimedStatus(Status):
    """Records when the connection opened, the handshake was answered and the queue became empty, in ticks."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = self.heard = self.done = None

    def set_pending(self, state) -> None:
        super().set_pending(state)
        if self.heard is None and self.clock_trusted:
            self.heard = ticks_ms()
        if self.done is None and not state.count:
            self.done = ticks_ms()


class IdleKeypad:
    """A keypad without presses."""

    last_press = ticks_add(ticks_ms(), -_LONG_AGO_MS)


class OneByOne(Exchange):
    """Sends a frame only after the answer to the previous one."""

    _waits = False

    def next_frame(self) -> memoryview | None:
        frame = None if self._waits else super().next_frame()
        self._waits = self._waits or frame is not None
        return frame

    def feed(self, data: memoryview) -> None:
        super().feed(data)
        self._waits = False


class Timed(TlsChannel):
    """Records when it is opened."""

    async def open(self) -> None:
        if status.opened is None:
            status.opened = ticks_ms()
        await super().open()


class Counted(Timed):
    """Counts bytes of frames, and rounds of waiting for the host.

    `round` is the longest chain of answers that each had to arrive before the next request could be sent.
    """

    def __init__(self, values: Settings) -> None:
        super().__init__(values)
        self.bytes = self.round = 0
        self._sent = []  # rounds of the frames in flight; answers arrive in order
        self._ends = [b"", b""]  # bytes of an incomplete frame, in each direction

    async def send(self, data: memoryview) -> None:
        self._sent += [self.round] * self._frames(0, data)
        await super().send(data)

    async def receive(self, into: memoryview, seconds: int) -> int:
        count = await super().receive(into, seconds)
        for _ in range(self._frames(1, into[:count])):
            self.round = max(self.round, self._sent.pop(0) + 1)
        return count

    def _frames(self, way: int, data: memoryview) -> int:
        """Number of frames that `data` completes."""
        self.bytes += len(data)
        stream, found = self._ends[way] + bytes(data), 0
        while len(stream) >= 2 and len(stream) >= 2 + (stream[0] << 8 | stream[1]):
            stream = stream[2 + (stream[0] << 8 | stream[1]) :]
            found += 1
        self._ends[way] = stream
        return found


class Line(ConnectionTask):
    """The firmware's connection task, with the classes above for timing and counting."""

    channel: Timed

    def _channel(self) -> Timed:
        self.channel = (Counted if COUNTS else Timed)(self._settings)  # noqa: F821
        return self.channel

    def _exchange(self) -> Exchange:
        return (OneByOne if ONE else Exchange)(self._courier)  # noqa: F821


async def _main() -> None:
    board = Board()
    secret = board.device_secret
    values = Settings(board.settings, device_key(secret, SETTINGS), board.entropy)
    values.open()
    wake_rtc(board.rtc, int.from_bytes(values.get(settings.PROVISIONED), "big"))
    keyring = Keyring(board.keyring, device_key(secret, KEYRING), board.entropy)
    keyring.open(device_key(secret, KBPK))
    journal = Journal(board.journal, device_key(secret, JOURNAL))
    mount(journal)
    pending = journal.state.count
    who = Identity(values.get(settings.TERMINAL), values.get(settings.MERCHANT))
    courier = Courier(journal, keyring, who, Clock(), status, board.entropy)
    line = Line(courier, values, board.wifi, IdleKeypad, status, board.entropy)
    sender = asyncio.create_task(line.run())
    while status.done is None:
        status.event.clear()
        await status.event.wait()
    result = await _closed(journal, courier, board) if CLOSES else {}  # noqa: F821
    sender.cancel()
    result["settled"], result["refused"] = pending - journal.state.count, status.refused_later
    result["ms"], result["heard_ms"] = ticks_diff(status.done, status.opened), ticks_diff(status.heard, status.opened)
    if COUNTS:  # noqa: F821
        result["rounds"], result["bytes"] = line.channel.round, line.channel.bytes
    print(json.dumps(result))


async def _closed(journal: Journal, courier: Courier, board: Board) -> dict:
    """Close a batch that the host reports as unbalanced. Returns how many records were uploaded, and the time in ms."""
    submit(courier, totals(journal).de48(), board.entropy)
    start = ticks_ms()
    while not courier.outcome.kind:
        await asyncio.sleep_ms(5)
    return {"uploaded": courier.outcome.uploaded, "upload_ms": ticks_diff(ticks_ms(), start)}


status = TimedStatus()
asyncio.run(_main())
