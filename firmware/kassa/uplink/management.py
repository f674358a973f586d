# SPDX-License-Identifier: MIT
"""What a connection does beside payments: tables to be fetched, a status, an echo, a sign-off. Loaded when asked for.

The host asks by the header's processing request; a cashier by the menu. One task at a time, when nothing else waits.
"""

from struct import pack_into, unpack_from

from micropython import const

from kassa.errors import FlashFault, SettingsError, WireError
from kassa.uplink import answers
from kassa.uplink.in_flight import MANAGE
from kassa.uplink.iso8583 import Answer
from kassa.uplink.outbox import Outbox
from kassa.uplink.outcome import Outcome

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from typing import Protocol

    from kassa.uplink.courier import ManagementTask
    from kassa.vault.journal.journal import Journal
    from kassa.vault.settings.settings import Settings

    class Sink(Protocol):
        """Takes a table in pieces. `end` makes it durable, or raises WireError and leaves the old one."""

        version: int

        def begin(self, size: int, version: int) -> None: ...

        def add(self, data: memoryview) -> None: ...

        def end(self) -> None: ...


SIGN_OFF = const(2)  # values of 60.3
ECHO = const(301)
_PARAMETERS = const(360)
_STATUS = const(362)
_LARGEST = const(8192)  # bytes of a table
# The processing request of an answer's header; sign on again (3) is the courier's own, 6 is not taken here.
_PARAMETERS_ASKED = const(1)
_STATUS_ASKED = const(2)
_CARDS_ASKED = ((4, 370, 0), (7, 390, 1), (5, 380, 2))  # with 60.3 and the table of vault/card_tables/table_writer.py


class NetworkMessage:
    """One 0820, or a handshake on a connection that had one."""

    closes = changed = False

    def __init__(self, network: int, free: "bytes | bytearray", outcome: Outcome) -> None:
        self._network = network
        self._free = free
        self._outcome = outcome

    def restart(self) -> None:
        """A new connection: nothing was answered yet."""

    def frame(self, outbox: Outbox, record: bytearray) -> memoryview | None:
        """What to send now, None = first the answers."""
        if outbox.in_flight.count:
            return None
        return outbox.manage(MANAGE, 0x0820, self._network, self._free)

    def take(self, answer: Answer, purpose: int, code: bytes) -> bool:
        """Whether it is done."""
        self._outcome.kind = answers.meaning(code, answers.MANAGEMENT)
        return True


class TableDownload:
    """One table, piece by piece; at its end the host is told the version that is here now."""

    closes = False

    def __init__(self, network: int, sink: "Sink", refused: "dict[int, int]") -> None:
        """`refused`: by 60.3, the version that was not taken; noted here."""
        self._refused = refused
        self._network = network
        self._sink = sink
        self._at = self._size = self._version = 0
        self.changed = False

    def restart(self) -> None:
        """A new connection: from the start of the table."""
        self._at = 0

    def frame(self, outbox: Outbox, record: bytearray) -> memoryview | None:
        """DE 62 up: version of the form, version of the table here, where the next piece begins."""
        if outbox.in_flight.count:
            return None
        free = bytearray(7)
        pack_into(">BIH", free, 0, 1, self._sink.version, self._at)
        return outbox.manage(MANAGE, 0x0800, self._network, free)

    def take(self, answer: Answer, purpose: int, code: bytes) -> bool:
        """DE 62 down: version of the form, of the table, its size, where this piece begins, the piece.

        A table that is refused ends the task, not the connection, and is not asked for again before a restart.
        """
        free = answer.get(62)
        if answers.meaning(code, answers.MANAGEMENT) != answers.YES or len(free) < 9 or free[0] != 1:
            return True
        version, size, at = unpack_from(">IHH", free, 1)
        if (
            not size or self.changed
        ):  # nothing newer than what is here; a host that says otherwise at once is not believed
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
                raise WireError("a table too long, or not from its start")
            self._version, self._size = version, size
            self._sink.begin(size, version)
        if (version, size, at) != (self._version, self._size, self._at) or not piece or at + len(piece) > size:
            raise WireError("a table that changes on its way")
        self._sink.add(piece)
        self._at += len(piece)
        if self._at == size:
            self._sink.end()
            self._at, self.changed = 0, True


def task_for(
    request: int, values: "Settings", cards: tuple, journal: "Journal", refused: "dict[int, int]"
) -> "ManagementTask | None":
    """The task for a processing request of the host; None for one that is not for us, or where the chip cannot be read.

    `refused`: see TableDownload.
    """
    if request == _STATUS_ASKED:
        return NetworkMessage(_STATUS, _status(journal), Outcome())
    try:
        if request == _PARAMETERS_ASKED:
            from kassa.vault.settings.parameters import Parameters

            return TableDownload(_PARAMETERS, Parameters(values), refused)
        for asked, network, table in _CARDS_ASKED:
            if request == asked:
                from kassa.vault.card_tables.table_writer import CardTables

                return TableDownload(network, CardTables(cards[0], cards[1], table, values), refused)
    except (FlashFault, SettingsError):
        pass  # a table is not worth the connection
    return None


def _status(journal: "Journal") -> bytearray:
    """DE 62 of 0820/362: version 1, pending count 2, free sectors 2, damaged 2, watermark 4."""
    free = bytearray(11)
    state = journal.state
    pack_into(">BHHHI", free, 0, 1, state.count, max(0, journal.free), journal.damaged, state.watermark)
    return free
