# SPDX-License-Identifier: MIT
"""The memory that holds card data while a card is read.

It is one bytearray, divided into views once. Data that does not fit gets a buffer of its own. Every exit zeroes all of
it.
"""

from struct import pack_into

from micropython import const

from kassa.card import tlv
from kassa.crypto.wipe import zero
from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.card.evidence import Evidence
    from kassa.card.tlv import Bytes

BODY_SIZE = const(160)
MAX_CANDIDATES = const(8)
CANDIDATE_SIZE = const(18)  # rank (0 = unused or already tried), length of the AID, AID padded to 16

_COMMAND = const(0)  # C-APDU, at most 5 + 255 + 1
_ANSWER = const(264)  # R-APDU, at most 256 + 2
_CANDIDATES = const(524)  # MAX_CANDIDATES * CANDIDATE_SIZE = 144
_STORE = const(668)  # stored data objects, as TLV: 480
_BODY = const(1148)
_FIRST6 = const(1308)
_LAST4 = const(1311)
_SIZE = const(1313)


class Arena:
    """The card data of one payment. Allocated for one card; see Session.card.

    After the outcome ONLINE or APPROVED, `body` (160 bytes, TLV, zero padded), `first6` (3 bytes BCD), `last4` (2 bytes
    BCD) and `printed` (what a receipt shows of the application, TLV) are set and the rest is zero. The owner calls
    `wipe()` once the payment is sealed, and on every other exit.
    """

    entry = 0x07  # contactless EMV

    def __init__(self) -> None:
        self._data = bytearray(_SIZE)
        whole = memoryview(self._data)
        self.command = whole[_COMMAND:_ANSWER]
        self.answer = whole[_ANSWER : _ANSWER + 260]
        self.candidates = whole[_CANDIDATES:_STORE]
        self.store = whole[_STORE:_BODY]
        self.body = whole[_BODY:_FIRST6]
        self.first6 = whole[_FIRST6:_LAST4]
        self.last4 = whole[_LAST4:_SIZE]
        self.printed = b""
        self.used = 0  # bytes of `store` in use
        self._more = []  # (tag, value) of objects that did not fit in `store`: a few cards have long lists
        self.evidence: Evidence | None = None  # set while reading a card that may approve offline

    def keep(self, tag: int, data: "Bytes", start: int, end: int) -> None:
        """Store data[start:end] under `tag`; in a buffer of its own if the store is full."""
        used = tlv.append(self.store, self.used, tag, data, start, end)
        if used:
            self.used = used
        else:
            self._more.append((tag, bytearray(data[start:end])))

    def kept(self, tag: int) -> "tlv.Tlv | None":
        """Return a cursor on the stored object with this tag, or None."""
        for known, value in self._more:
            if known == tag:
                return tlv.Tlv(value)
        return tlv.kept(self.store, self.used, tag)

    def need(self, tag: int) -> "tlv.Tlv":
        """Return a cursor on the stored object with this tag. Raises CardError if there is none."""
        cursor = self.kept(tag)
        if cursor is None:
            raise CardError("mandatory data is missing")
        return cursor

    def forget(self) -> None:
        """Zero and drop all stored objects before the next candidate is tried."""
        for index in range(self.used):
            self.store[index] = 0
        self.used = 0
        self._drop()

    def keep_result_only(self) -> None:
        """Zero everything except what the payment keeps: body, first six and last four digits."""
        pack_into("1148s", self._data, 0, b"")
        self.used = 0
        self._drop()

    def wipe(self) -> None:
        """Zero everything."""
        pack_into("1313s", self._data, 0, b"")
        self.printed = b""
        self.used = 0
        self._drop()

    def _drop(self) -> None:
        while self._more:
            zero(self._more.pop()[1])
        if self.evidence is not None:
            self.evidence.wipe()
            self.evidence = None
