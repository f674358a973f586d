# SPDX-License-Identifier: MIT
"""One relayed TCP connection: two ends, and a pipe in each direction that can delay its bytes."""

import select
import socket
import struct
import time
from collections import deque

QUIET_S = 0.05  # how long a connection counts as busy after its last byte
_STUCK_S = 5.0  # a connection is reset when an end accepts no bytes for this long


class Pipe:
    """Bytes in transit, each piece with its arrival time. An empty piece is the sender's end of stream."""

    def __init__(self) -> None:
        self.waiting: deque[tuple[float, bytes]] = deque()

    @property
    def due(self) -> float:
        return self.waiting[0][0]

    def push(self, data: bytes, delay: float) -> None:
        self.waiting.append((time.monotonic() + delay, data))

    def take(self, now: float) -> list[bytes]:
        """The pieces that have arrived by `now`."""
        arrived = []
        while self.waiting and self.waiting[0][0] <= now:
            arrived.append(self.waiting.popleft()[1])
        return arrived


class Link:
    """The terminal's connection (accepted), the matching one to the host (opened), and their state."""

    def __init__(self, terminal: socket.socket) -> None:
        self.terminal = terminal
        self.host: socket.socket | None = None
        self.up = Pipe()
        self.down = Pipe()
        self.moved = time.monotonic()  # when a byte last moved, either way
        self.unanswered = 0.0  # when the oldest unanswered byte went up, or 0
        self.swallowed = False  # bytes were lost: only a reset can follow
        self.portal = False
        self.lost = False  # no byte arrives any more, and neither end hears that it is so
        self.dead = False
        self._ends_open = 2
        terminal.settimeout(_STUCK_S)
        terminal.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connect_host(self, port: int | None) -> bool:
        """Connect to the host on `port` of this machine. Returns False if it cannot be reached."""
        if port is None:
            return False
        try:
            self.host = socket.create_connection(("127.0.0.1", port), timeout=_STUCK_S)
        except OSError:
            return False
        self.host.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return True

    def answer_and_close(self, page: bytes) -> None:
        """Act as a captive portal: send a page and end the stream. Incoming bytes are read and dropped."""
        self.portal = True
        try:
            self.terminal.sendall(page)
            self.terminal.shutdown(socket.SHUT_WR)
        except OSError:
            self.dead = True

    def terminal_has_sent(self) -> bool:
        """Whether the terminal has sent bytes that have not been read yet."""
        return bool(self._ends_open == 2 and select.select([self.terminal], [], [], 0)[0])

    def read(self, from_terminal: bool) -> bytes | None:
        """Bytes from one end (b"" = its end of stream), or None if the connection broke."""
        end = self.terminal if from_terminal else self.host
        try:
            data = end.recv(65536) if end else b""
        except OSError:
            self.reset()
            return None
        if not data:
            self._ends_open -= 1
            if not self.lost and (self.portal or self.swallowed or self.host is None):
                self.dead = True
        return data

    def write(self, to_host: bool, data: bytes) -> None:
        """Send bytes (or b"", the end of stream) to one end."""
        end = self.host if to_host else self.terminal
        self.moved = time.monotonic()
        if not to_host:
            self.unanswered = 0.0
        try:
            if end is None:
                self.reset()
            elif data:
                end.sendall(data)
            else:
                end.shutdown(socket.SHUT_WR)
                self.dead = self._ends_open == 0 and not self.up.waiting and not self.down.waiting
        except OSError:
            self.reset()

    def swallow(self) -> None:
        """Drop the bytes in transit."""
        if self.up.waiting or self.down.waiting:
            self.up.waiting.clear()
            self.down.waiting.clear()
            self.swallowed = True

    def lose(self) -> None:
        """Drop the bytes in transit, and all that follow, without a word to either end."""
        self.lost = True
        self.unanswered = 0.0
        self.up.waiting.clear()
        self.down.waiting.clear()

    def reset(self) -> None:
        """Reset the connection at both ends (RST, no end of stream)."""
        for end in (self.terminal, self.host):
            if end:
                try:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                except OSError:
                    pass  # it is closed already
        self.dead = True

    def close(self) -> None:
        for end in (self.terminal, self.host):
            if end:
                end.close()
