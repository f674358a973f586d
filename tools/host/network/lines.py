# SPDX-License-Identifier: MIT
"""Which connections are open, and which one has to end when another comes. Knows nothing of sockets."""

import ipaddress
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tools.host.network.tls import Peer
from tools.host.settings import Limits


@dataclass(eq=False, slots=True)
class Line:
    """One connection. `address`: see `group`. `peer`: once TLS is through. `heard`: when it last sent something.

    `busy`: it is being answered. `ending`: it ends as soon as that is done. `cut`: ends it now.
    """

    address: str
    cut: Callable[[], object]
    peer: Peer | None = None
    heard: float = field(default_factory=time.monotonic)
    busy: bool = False
    ending: bool = False
    why: str = ""

    @property
    def terminal(self) -> str:
        return self.peer.terminal if self.peer else ""

    def end(self, why: str) -> None:
        """End it: at once, or as soon as it has the answer that is being made. The first reason counts."""
        if not self.ending:
            self.ending, self.why = True, why
            if not self.busy:
                self.cut()


def group(address: str) -> str:
    """What counts as one address: an IPv4 address, or a /64 of IPv6, which one subscriber has for himself."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


class Lines:
    """Counts lines per address and per terminal. Who opens too many loses the oldest of his own."""

    def __init__(self, limits: Limits, dropped: Callable[[str, Line], object]) -> None:
        """`dropped`: told the reason and the line that has to end for another."""
        self._limits = limits
        self._dropped = dropped
        self._waiting: dict[str, dict[Line, None]] = {}  # by address, oldest first: not through TLS yet
        self._open: dict[str, dict[Line, None]] = {}  # by terminal
        self._through: dict[str, int] = {}  # how many are through TLS, by address
        self.waiting = 0
        self.open = 0

    def __iter__(self) -> Iterator[Line]:
        return iter([line for those in (self._waiting, self._open) for lines in those.values() for line in lines])

    def arrive(self, line: Line) -> bool:
        """Take in a new connection, before TLS. False: its address has too many that are through TLS."""
        limits, mine = self._limits, self._waiting.get(line.address, {})
        if len(mine) >= limits.handshakes_per_address:
            self._drop("handshakes_of_address", next(iter(mine)))
        elif self.waiting >= limits.handshakes:
            fullest = max(self._waiting.values(), key=len)
            self._drop("handshakes", next(iter(fullest)))
        mine = self._waiting.get(line.address, {})
        if len(mine) + self._through.get(line.address, 0) >= limits.connections_per_address:
            if not mine:
                return False
            self._drop("connections_of_address", next(iter(mine)))
        self._waiting.setdefault(line.address, {})[line] = None
        self.waiting += 1
        return True

    def secured(self, line: Line, peer: Peer) -> bool:
        """A connection is through TLS, and its certificate is good. False: no line can end for it, all are being answered."""
        self.leave(line)
        line.peer = peer
        mine = self._open.get(peer.terminal, {})
        reason, last = "", line
        if len(mine) >= self._limits.connections_per_terminal:
            reason, last = "connections_of_terminal", _longest_idle(mine)
        elif self.open >= self._limits.connections:
            reason, last = "connections", _longest_idle(each for lines in self._open.values() for each in lines)
        if last.busy:
            return False
        if reason:
            self._drop(reason, last)
        self._open.setdefault(peer.terminal, {})[line] = None
        self._through[line.address] = self._through.get(line.address, 0) + 1
        self.open += 1
        return True

    def leave(self, line: Line) -> None:
        """Forget a line; does nothing if it is forgotten already."""
        if _take(self._waiting, line.address, line):
            self.waiting -= 1
        elif _take(self._open, line.terminal, line):
            self.open -= 1
            self._through[line.address] -= 1
            if not self._through[line.address]:
                del self._through[line.address]

    def _drop(self, reason: str, line: Line) -> None:
        self.leave(line)
        self._dropped(reason, line)
        line.end(reason)


def _take(lines: dict[str, dict[Line, None]], key: str, line: Line) -> bool:
    mine = lines.get(key)
    if mine is None or line not in mine:
        return False
    del mine[line]
    if not mine:
        del lines[key]
    return True


def _longest_idle(lines: "Iterator[Line] | dict[Line, None]") -> Line:
    return min(lines, key=lambda line: (line.busy, line.heard))
