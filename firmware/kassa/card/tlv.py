# SPDX-License-Identifier: MIT
"""BER-TLV (EMV Book 3, annex B), parsed in place without copying, with limits on depth, count and length.

Filler bytes (00, or FF from older cards) are allowed before, between and after the objects of a template. Otherwise the
parser is strict: filler outside a template, an indefinite length or an object that overruns its template raises
CardError.
"""

from micropython import const

from kassa.errors import CardError

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    Bytes = bytes | bytearray | memoryview

_MAX_DEPTH = const(6)
_MAX_OBJECTS = const(96)


class Tlv:
    """A cursor over the objects of data[start:end], its scope.

    After `next` or `find` returns True: `tag` is the tag (int, e.g. 0x9F02), `head` the offset of the object in `data`,
    and `start`, `end` the offsets of its value.
    """

    def __init__(self, data: "Bytes", start: int = 0, end: int = -1) -> None:
        self.data = data
        self.tag = 0
        self.head = self.start = self._from = self._at = start
        self.end = self._to = len(data) if end < 0 else end

    def next(self) -> bool:
        """Go to the next object of the scope, skipping filler; False at the end. Raises CardError if malformed."""
        data, at = self.data, self._at
        while at < self._to and (data[at] == 0x00 or data[at] == 0xFF):
            at += 1
        self.head = self._at = at
        if at >= self._to:
            return False
        self._read_tag()
        size = self._byte()
        if size > 0x80:
            if size > 0x84:
                raise CardError("TLV: length of the length")
            count = size & 0x7F
            size = 0
            for _ in range(count):
                if size > 0xFFFF:
                    raise CardError("TLV: length")
                size = size << 8 | self._byte()
        elif size == 0x80:
            raise CardError("TLV: indefinite length")
        if size > self._to - self._at:
            raise CardError("TLV: object overruns its template")
        self.start = self._at
        self.end = self._at = self._at + size
        return True

    def next_dol(self) -> int:
        """Read the next (tag, length) pair of a data object list.

        Returns the length, -1 at the end. Raises CardError.
        """
        if self._at >= self._to:
            return -1
        self._read_tag()
        return self._byte()

    def find(self, tag: int) -> bool:
        """Go to the first object of the scope with this tag; False if there is none. Raises CardError."""
        self._at = self._from
        while self.next():
            if self.tag == tag:
                return True
        return False

    def enter(self) -> "Tlv":
        """Make the value under the cursor the scope. Returns the cursor itself."""
        self._from = self._at = self.start
        self._to = self.end
        return self

    def path(self, *tags: int) -> bool:
        """Go to a nested object: the first of `tags` in the scope, the second within it, and so on.

        False if one is missing.
        """
        for index, tag in enumerate(tags):
            if index:
                self.enter()
            if not self.find(tag):
                return False
        return True

    def constructed(self) -> bool:
        """Return whether the object under the cursor is constructed (a template)."""
        tag = self.tag
        while tag > 0xFF:
            tag >>= 8
        return bool(tag & 0x20)

    def _byte(self) -> int:
        if self._at >= self._to:
            raise CardError("TLV: truncated")
        self._at += 1
        return self.data[self._at - 1]

    def _read_tag(self) -> None:
        tag = part = self._byte()
        if tag & 0x1F == 0x1F:
            part = 0x80
            while part & 0x80:
                if tag > 0xFFFF:
                    raise CardError("TLV: tag of more than three bytes")
                part = self._byte()
                tag = tag << 8 | part
        if not tag:
            raise CardError("DOL: filler")
        self.tag = tag


def check(data: "Bytes", start: int, end: int, depth: int = _MAX_DEPTH) -> int:
    """Check the whole tree of objects in data[start:end]; return how many there are. Raises CardError if malformed."""
    if not depth:
        raise CardError("TLV: too deep")
    count, at = 0, start
    cursor = Tlv(data, start, end)
    while cursor.next():
        if depth == _MAX_DEPTH and cursor.head != at:
            break
        count, at = count + 1, cursor.end
        if cursor.constructed():
            count += check(data, cursor.start, cursor.end, depth - 1)
        if count > _MAX_OBJECTS:
            raise CardError("TLV: too many objects")
    if depth == _MAX_DEPTH and at != end:
        raise CardError("TLV: filler outside a template")
    return count


def single(data: "Bytes", end: int) -> Tlv:
    """Check data[:end] and return a cursor on its only object.

    Raises CardError if malformed or not exactly one object.
    """
    check(data, 0, end)
    cursor = Tlv(data, 0, end)
    if not cursor.next() or cursor.end != end:
        raise CardError("TLV: not one object")
    return cursor


def kept(data: "Bytes", end: int, wanted: int) -> "Tlv | None":
    """Return a cursor on the first object with tag `wanted` in data[:end] (written by `append`), or None."""
    at = 0
    while at < end:
        tag = data[at]
        at += 1
        if tag & 0x1F == 0x1F:
            part = 0x80
            while part & 0x80:
                part = data[at]
                tag = tag << 8 | part
                at += 1
        size = data[at]
        at += 1
        if size == 0x81:
            size = data[at]
            at += 1
        if tag == wanted:
            return Tlv(data, at, at + size)
        at += size
    return None


def append(into: "bytearray | memoryview", at: int, tag: int, data: "Bytes", start: int, end: int) -> int:
    """Write one object (value data[start:end], up to 255 bytes) at into[at:]. Returns its end, 0 if it does not fit."""
    size = end - start
    width = 1 if tag <= 0xFF else 2 if tag <= 0xFFFF else 3
    if size > 0xFF or at + width + (1 if size < 0x80 else 2) + size > len(into):
        return 0
    for shift in range(8 * (width - 1), -1, -8):
        into[at] = tag >> shift & 0xFF
        at += 1
    if size >= 0x80:
        into[at] = 0x81
        at += 1
    into[at] = size
    at += 1
    for index in range(start, end):
        into[at] = data[index]
        at += 1
    return at
