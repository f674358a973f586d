# SPDX-License-Identifier: MIT
"""Which message counters of a terminal were seen: the highest one, and one bit for each of the 4096 up to it.

A counter below the highest may be late: sent on an older connection, and never seen. Only one that was seen before
shows that keys were used twice. Counters with more than 16 one-bits do not exist (ANSI X9.24-3); their bits stay 0.
"""

SIZE = 4096  # counters
_ALL = (1 << SIZE) - 1
FRESH, LATE, USED = "fresh", "late", "used"


def take(mark: int, seen: int, counter: int) -> tuple[str, int, int]:
    """Note a counter. Returns FRESH, LATE or USED, then the new mark and the new bits.

    `seen`: bit n stands for the counter `mark - n`. A counter that is too old to be remembered is LATE.
    """
    above = counter - mark
    if above > 0:
        return FRESH, counter, (seen << above | 1) & _ALL if above < SIZE else 1
    if -above >= SIZE:
        return LATE, mark, seen
    bit = 1 << -above
    return (USED, mark, seen) if seen & bit else (LATE, mark, seen | bit)


def pack(seen: int) -> bytes:
    """The bits as stored, 512 bytes."""
    return seen.to_bytes(SIZE // 8, "big")


def unpack(stored: bytes | None, mark: int) -> int:
    """The bits; of a terminal that an older version knew (None), only the mark itself counts as seen."""
    return int.from_bytes(stored, "big") if stored is not None else int(mark > 0)
