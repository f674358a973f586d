# SPDX-License-Identifier: MIT
"""The key matrix as a chip. Each key stays down until the scan has sampled it often enough: no press is lost."""

from collections import deque

KEYS = "123C456B789UM0DE"  # row by row
_SEEN = 6  # samples of a key's column while its row is low, before the key changes state


class KeyMatrix:
    """`press` queues a press and release; `hold` and `release` act at once.

    Inputs row0 to row3, outputs col0 to col3 (pulled up).
    """

    def __init__(self) -> None:
        self._rows = [1, 1, 1, 1]
        self._held: set[str] = set()
        self._queue: deque[str] = deque()
        self._key = ""  # the queued key being pressed
        self._down = False
        self._seen = 0

    def press(self, key: str) -> None:
        """Queue a press. Raises ValueError for an unknown key."""
        if len(key) != 1 or key not in KEYS:
            raise ValueError(f"no key {key!r}")
        self._queue.append(key)
        self._next()

    def hold(self, key: str) -> None:
        if key not in KEYS:
            raise ValueError(f"no key {key!r}")
        self._held.add(key)

    def release(self, key: str) -> None:
        self._held.discard(key)

    @property
    def idle(self) -> bool:
        """Whether no key is down and no press is queued."""
        return not (self._held or self._key or self._queue)

    def power_off(self) -> None:
        """Release every key and drop the queue."""
        self.__init__()  # type: ignore[misc]

    def pin(self, name: str, level: int) -> None:
        self._rows[int(name[3])] = level

    def level(self, name: str) -> int:
        """0 while a key in this column is down and its row is driven low."""
        col = int(name[3])
        level = 1
        for row in range(4):
            key = KEYS[4 * row + col]
            if self._rows[row] == 0 and (key in self._held or (key == self._key and self._down)):
                level = 0
        if self._key and KEYS.index(self._key) % 4 == col and self._rows[KEYS.index(self._key) // 4] == 0:
            self._sampled()
        return level

    def _sampled(self) -> None:
        self._seen += 1
        if self._seen < _SEEN:
            return
        self._seen = 0
        if self._down:
            self._down = False
        else:
            self._key = ""
            self._next()

    def _next(self) -> None:
        if not self._key and self._queue:
            self._key, self._down, self._seen = self._queue.popleft(), True, 0
