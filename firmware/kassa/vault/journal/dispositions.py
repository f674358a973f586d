# SPDX-License-Identifier: MIT
"""What was decided about each record above the watermark: half a byte per record, so that a full ring fits in 2 KB."""

from micropython import const

from kassa.vault.journal import layout

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Iterator

# Values beside the kinds of marks:
MISSING = const(1)  # there is no valid record with this sequence
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
    """Maps a sequence to the kind of the last mark about it, 0 = none."""

    def __init__(self) -> None:
        self._base = 0  # only sequences above it are stored
        self._halves = bytearray()

    def get(self, sequence: int) -> int:
        """The kind stored for a sequence, 0 = none."""
        at = sequence - self._base - 1
        if at < 0 or at >> 1 >= len(self._halves):
            return 0
        return _KINDS[self._halves[at >> 1] >> (4 if at & 1 else 0) & 15]

    def set(self, sequence: int, kind: int) -> None:
        """Store the kind. A sequence at or below the base is ignored."""
        at = sequence - self._base - 1
        if at < 0:
            return
        if at >> 1 >= len(self._halves):
            self._halves.extend(bytes((at >> 1) + 1 - len(self._halves)))
        old, half = self._halves[at >> 1], _KINDS.index(kind)
        self._halves[at >> 1] = old & 15 | half << 4 if at & 1 else old & 0xF0 | half

    def forget(self, upto: int) -> None:
        """Forget all sequences up to `upto`."""
        gone = (upto - self._base) >> 1
        if gone > 0:
            self._halves = self._halves[gone:]
            self._base += 2 * gone
        if upto > self._base:  # it shares a byte with the next sequence
            self.set(upto, 0)

    def clear(self, base: int) -> None:
        """Forget everything, and store sequences above `base` from now on."""
        self._base = base
        self._halves = bytearray()

    def first(self, kind: int) -> int:
        """The lowest sequence with this kind, 0 when there is none."""
        for sequence in range(self._base + 1, self._base + 1 + 2 * len(self._halves)):
            if self.get(sequence) == kind:
                return sequence
        return 0

    def items(self) -> "Iterator[tuple[int, int]]":
        """(sequence, kind) of each sequence with a kind, in ascending order."""
        for index in range(2 * len(self._halves)):
            kind = self.get(self._base + 1 + index)
            if kind:
                yield self._base + 1 + index, kind


def decided(kind: int) -> bool:
    """Whether a record with a mark of this kind has its final answer."""
    return kind == layout.YES or kind in layout.NOT_PAID and kind != layout.REVERSING and kind != layout.VOIDED
