# SPDX-License-Identifier: MIT
"""Management tasks: fetch a table, send a status, echo test, sign-off. Loaded on demand.

The host asks for one by the processing request in the header, a cashier by the menu. One runs at a time, and only when
no payment is waiting.
"""

from struct import pack_into, unpack_from

from micropython import const

from kassa.errors import FlashFault, SettingsError, WireError
from kassa.uplink import answers
from kassa.uplink.in_flight import MANAGE
from kassa.uplink.iso8583 import Answer
from kassa.uplink.outbox import Outbox
from kassa.uplink.request_result import RequestResult

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    from kassa.uplink.courier import ManagementTask
    from kassa.vault.journal.journal import Journal
    from kassa.vault.settings.settings import Settings

    class Sink(Protocol):
        """Takes a table in pieces. `end` makes it durable, or raises WireError and keeps the old one."""

        version: int

        def begin(self, size: int, version: int) -> None: ...

        def add(self, data: memoryview) -> None: ...

        def end(self) -> None: ...


SIGN_OFF = const(2)  # values of 60.3
ECHO = const(301)
NUMBERS = const(364)
_PARAMETERS = const(360)
_STATUS = const(362)
_LARGEST = const(8192)  # bytes of a table
# Processing requests in an answer's header. The exchange handles 3 (sign on again).
_PARAMETERS_ASKED = const(1)
_STATUS_ASKED = const(2)
_CERTIFICATE_ASKED = const(6)
_ACTS_ASKED = const(8)  # by the terminal itself
_CARDS_ASKED = (
    (4, 370, 0),
    (7, 390, 1),
    (5, 380, 2),
)  # (processing request, 60.3, table of vault/card_tables/table_writer.py)


class NetworkMessage:
    """One 0820: a status, an echo test, a sign-off, or a question for the numbers of a payment."""

    closes = changed = False

    def __init__(self, network: int, free: "bytes | bytearray", outcome: RequestResult) -> None:
        self._network = network
        self._free = free
        self._outcome = outcome
        self._sent = False  # on this connection

    def restart(self) -> None:
        """Send it again on a new connection."""
        self._sent = False

    def frame(self, outbox: Outbox, record: bytearray) -> memoryview | None:
        """What to send now, None = first the answers."""
        if outbox.in_flight.count:
            return None
        self._sent = True
        return outbox.manage(MANAGE, 0x0820, self._network, self._free)

    def take(self, answer: Answer, purpose: int, code: bytes) -> bool:
        """Store the answer and its meaning. Returns whether the task is done: not by the answer to a task that was dropped."""
        if self._sent:
            self._outcome.take(answer, code)
            self._outcome.kind = answers.meaning(code, answers.MANAGEMENT)
        return self._sent


class TableDownload:
    """Fetches one table piece by piece, then reports the version now on the terminal."""

    closes = False

    def __init__(self, network: int, sink: "Sink", refused: "dict[int, int]") -> None:
        """`network`: 60.3. `refused`: 60.3 -> version of a table that was refused; updated here."""
        self._refused = refused
        self._network = network
        self._sink = sink
        self._at = self._size = self._version = 0
        self.changed = False

    def restart(self) -> None:
        """Start again with the first piece, on a new connection."""
        self._at = 0

    def frame(self, outbox: Outbox, record: bytearray) -> memoryview | None:
        """The next request; None while an answer is awaited. DE 62: format version, version on the terminal, offset."""
        if outbox.in_flight.count:
            return None
        free = bytearray(7)
        pack_into(">BIH", free, 0, 1, self._sink.version, self._at)
        return outbox.manage(MANAGE, 0x0800, self._network, free)

    def take(self, answer: Answer, purpose: int, code: bytes) -> bool:
        """Process one answer. Returns True when the task has ended.

        DE 62: format version, version and size of the table, offset, the piece. A refused table ends the task, not the
        connection, and is not requested again before a restart.
        """
        free = answer.get(62)
        if answers.meaning(code, answers.MANAGEMENT) != answers.YES or len(free) < 9 or free[0] != 1:
            return True
        version, size, at = unpack_from(">IHH", free, 1)
        if (
            not size or self.changed
        ):  # nothing newer; after a download, a newer version is ignored until the next request
            return True
        if self._refused.get(self._network) == version:
            return True
        try:
            self._put(version, size, at, free[9:])
        except (WireError, SettingsError, FlashFault):
            self._refused[self._network] = version
            return True
        return False

    def _put(self, version: int, size: int, at: int, piece: memoryview) -> None:
        if not self._at:
            if size > _LARGEST or at:
                raise WireError("a table too long, or not from offset 0")
            self._version, self._size = version, size
            self._sink.begin(size, version)
        if (version, size, at) != (self._version, self._size, self._at) or not piece or at + len(piece) > size:
            raise WireError("a table that changed during its download")
        self._sink.add(piece)
        self._at += len(piece)
        if self._at == size:
            self._sink.end()
            self._at, self.changed = 0, True


def task_for(
    request: int, values: "Settings", cards: tuple, journal: "Journal", refused: "dict[int, int]"
) -> "ManagementTask | None":
    """The task for a processing request of the host; None if the request is unknown or the flash cannot be read.

    `cards`: partition and key of the card tables. `refused`: see TableDownload.
    """
    if request == _STATUS_ASKED:
        return NetworkMessage(_STATUS, status(journal), RequestResult())
    try:
        if request == _PARAMETERS_ASKED:
            from kassa.vault.settings.parameters import Parameters

            return TableDownload(_PARAMETERS, Parameters(values), refused)
        if request == _ACTS_ASKED:
            from kassa.uplink import acts_upload

            return acts_upload.ActsUpload(values)
        if request == _CERTIFICATE_ASKED:
            from kassa.uplink import renewal

            return TableDownload(renewal.NETWORK, renewal.Renewal(values), refused)
        for asked, network, table in _CARDS_ASKED:
            if request == asked:
                from kassa.vault.card_tables.table_writer import CardTables

                return TableDownload(network, CardTables(cards[0], cards[1], table, values), refused)
    except (FlashFault, SettingsError):
        pass  # do not lose the connection for a table
    return None


def status(journal: "Journal") -> bytearray:
    """DE 62 of 0820/362: format version 1 byte, pending count 2, free sectors 2, damaged cells 2, watermark 4."""
    free = bytearray(11)
    state = journal.state
    pack_into(">BHHHI", free, 0, 1, state.count, max(0, journal.free), journal.damaged, state.watermark)
    return free
