# SPDX-License-Identifier: MIT
"""What was decided about each record above the watermark: half a byte a record, so that a full ring fits in 2 KB."""

from micropython import const

from kassa.vault.journal import layout

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

# Beside the marks about one record:
MISSING = const(1)  # no valid record has this sequence
UNDECIDED = const(2)  # an intent without a mark
_KINDS = (
    0,
    MISSING,
    UNDECIDED,
    layout.YES,
    layout.REFUSED,
    layout.DECLINED,
    layout.REVERSING,
    layout.REVERSED,
    layout.DEFERRED,
    layout.VOIDED,
    layout.REPORTED,
    layout.LOST,
    layout.NOTED,
)


class Dispositions:
    """Sequence -> kind of the last mark about it, 0 = none."""

    def __init__(self) -> None:
        self._base = 0  # sequences up to it are not kept
        self._halves = bytearray()

    def get(self, sequence: int) -> int:
        """The kind, 0 when nothing is known."""
        at = sequence - self._base - 1
        if at < 0 or at >> 1 >= len(self._halves):
            return 0
        return _KINDS[self._halves[at >> 1] >> (4 if at & 1 else 0) & 15]

    def set(self, sequence: int, kind: int) -> None:
        """Note the kind; of a sequence at or below the base nothing is kept."""
        at = sequence - self._base - 1
        if at < 0:
            return
        if at >> 1 >= len(self._halves):
            self._halves.extend(bytes((at >> 1) + 1 - len(self._halves)))
        old, half = self._halves[at >> 1], _KINDS.index(kind)
        self._halves[at >> 1] = old & 15 | half << 4 if at & 1 else old & 0xF0 | half

    def forget(self, upto: int) -> None:
        """Drop everything up to a sequence."""
        gone = (upto - self._base) >> 1
        if gone > 0:
            self._halves = self._halves[gone:]
            self._base += 2 * gone
        if upto > self._base:  # shares its byte with the next one
            self.set(upto, 0)

    def clear(self, base: int) -> None:
        """Know nothing above `base`."""
        self._base = base
        self._halves = bytearray()

    def first(self, kind: int) -> int:
        """The oldest sequence with this kind, 0 when there is none."""
        for sequence in range(self._base + 1, self._base + 1 + 2 * len(self._halves)):
            if self.get(sequence) == kind:
                return sequence
        return 0

    def items(self) -> "Iterator[tuple[int, int]]":
        """(sequence, kind) of each of which something is known, upwards."""
        for index in range(2 * len(self._halves)):
            kind = self.get(self._base + 1 + index)
            if kind:
                yield self._base + 1 + index, kind


def decided(kind: int) -> bool:
    """Whether a record with this mark has its final answer."""
    return kind == layout.YES or kind in layout.NOT_PAID and kind != layout.REVERSING and kind != layout.VOIDED
