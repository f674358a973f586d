# SPDX-License-Identifier: MIT
"""The network between the terminal and its host: a Wi-Fi station, and a TCP relay that can fail in the usual ways."""

import select
import selectors
import socket
import threading
import time
from collections.abc import Callable

from boards.unix import wiring
from tools.world import access_points
from tools.world.access_points import AccessPoint
from tools.world.relay import QUIET_S, Link
from tools.world.wifi_station import FAULTS, Station

_UNANSWERED_S = 0.3  # how long to wait for the host's answer before ticks may jump
_PORTAL = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
    b"<html><head><title>Free Wi-Fi</title></head><body>Please accept our terms.</body></html>\r\n"
)
STATES = ("on", "off", "half_open", "portal")
_NUMERIC = frozenset("0123456789.")  # of an address that needs no look-up


class Radio:
    """The radio as the terminal sees it.

    `state` is "on"; "off" (no access point: sent bytes are held, as TCP would resend them, and nothing new connects);
    "half_open" (connections are accepted and their bytes dropped; they are reset when the state changes); or "portal"
    (a captive portal answers every new connection with HTML and closes it). `delay_ms` delays each byte by that much,
    in each direction, in real time and without lowering throughput. `key`, if set, is the access point's password.

    `fault` is a fault of the station's driver, normally "". With "refuses" it refuses every connect until it gets a
    disconnect and then REST_MS of rest. With "hangs" it hangs while connecting until its interface is switched off.
    With "no_address" it joins, but DHCP gives no address. `network` is the name of the access point's network, None = any;
    `hosts` are the names and addresses that resolve, None = all. `dns_ms` is how long the terminal blocks while a name is
    looked up, in virtual time, and `on_lookup` is called before it does; a numeric address needs no look-up.
    """

    others: tuple[AccessPoint, ...] = access_points.NEIGHBOURS

    def __init__(self, host_port: int | None) -> None:
        self.host_port = host_port
        self.delay_ms = 0
        self.station_chip = Station()
        self.dns_ms = 0
        self.on_lookup: Callable[[str], None] | None = None
        self._now = 0  # virtual ms at the terminal's last question
        self.key: str | None = None
        self.network: str | None = None
        self.hosts: set[str] | None = None
        self.tap: Callable[[str, bytes], None] | None = None  # called with "up" or "down" and the bytes relayed
        self.bytes_up = 0
        self.bytes_down = 0
        self.connections = 0
        self._state = "on"
        self._cut: tuple[str, int] | None = None
        self._expected_until = 0.0  # a connection should arrive before this
        self._lock = threading.RLock()
        self._links: list[Link] = []
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._wake_in, self._wake_out = socket.socketpair()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._wake_in, selectors.EVENT_READ)
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="radio", daemon=True)
        self._thread.start()

    @property
    def state(self) -> str:
        return self._state

    @state.setter
    def state(self, state: str) -> None:
        if state not in STATES:
            raise ValueError(f"radio state {state!r} is none of {STATES}")
        with self._lock:
            self._state = state
            if state != "half_open":
                for link in self._links:
                    if link.swallowed:
                        link.reset()
        self._wake()

    @property
    def fault(self) -> str:
        return self.station_chip.fault

    @fault.setter
    def fault(self, fault: str) -> None:
        """Put the station into this fault; it loses its access point."""
        if fault not in FAULTS:
            raise ValueError(f"radio fault {fault!r} is none of {FAULTS}")
        with self._lock:
            self.station_chip.drop(self._now, fault)

    def vanish(self) -> None:
        """The access point loses its power: `state` is "off", and what is under way is lost. Neither end hears of it."""
        with self._lock:
            self._state = "off"
            for link in self._links:
                link.lose()
        self._wake()

    def cut_after(self, count: int, way: str = "up") -> None:
        """Reset the connection once `count` more bytes have gone "up" to the host (or "down" to the terminal)."""
        with self._lock:
            self._cut = (way, count)

    @property
    def cutting(self) -> bool:
        """Whether a reset by `cut_after` is still to come."""
        return self._cut is not None

    def close(self) -> None:
        """Drop every connection and end the thread."""
        self._closed = True
        self._wake()
        self._thread.join(5)
        for end in (self._listener, self._wake_in, self._wake_out):
            end.close()

    # The station behind network.WLAN.

    def station(self, command: int, data: bytes, now: int) -> bytes:
        """Handle one WLAN message at virtual time `now`. Returns status, signal and flags, encoded as in wiring.py."""
        with self._lock:
            self._now = now
            if command == wiring.WLAN_SCAN:
                found = self._heard() if self.station_chip.may_scan(now, self._air()) else []
                return access_points.scan(found)
            reply = self.station_chip.command(command, data, now, self._air())
            other = self._other()
            return reply[:2] + bytes((-other.signal,)) + reply[3:] if other else reply

    def lookup(self, now: int, name: str) -> int:
        """How long looking up `name` stops the terminal, in virtual ms. Calls `on_lookup` if it does."""
        if set(name) <= _NUMERIC or not self.dns_ms or not self._has_address(now):
            return 0
        if self.on_lookup:
            self.on_lookup(name)
        return self.dns_ms

    def resolve(self, now: int, name: str) -> int:
        """The port to connect to for `name`, or 0 without a network or if there is no such name."""
        if not self._has_address(now) or self.hosts is not None and name not in self.hosts:
            return 0
        self._expected_until = time.monotonic() + _UNANSWERED_S
        return self.port

    def _has_address(self, now: int) -> bool:
        with self._lock:
            self._now = now
            return self.station_chip.has_address(now, self._air())

    def power_off(self) -> None:
        """Lose power: the station leaves the network."""
        self.station_chip.power_off()

    def _air(self) -> str:
        """What the station finds when it connects as it was last told: see Station."""
        network, key = self.station_chip.wants()
        other = self._other()
        if other:
            return "" if other.key in (None, key) else "wrong_key"
        if self._state == "off" or self.network not in (None, network):
            return "no_ap"
        return "wrong_key" if self.key is not None and key != self.key else ""

    def _other(self) -> AccessPoint | None:
        """The access point beside the shop's own that the station was told to join, if it is near: the strongest one."""
        network, _ = self.station_chip.wants()
        named = [point for point in self.others if point.name == network and point.security != access_points.ENTERPRISE]
        return max(named, key=lambda point: point.signal, default=None) if network != self.network else None

    def _heard(self) -> list[AccessPoint]:
        """Every access point on the air."""
        own = AccessPoint(self.network or "kassa", self.station_chip.signal)
        return [*self.others, *([] if self._state == "off" else [own])]

    # The relay.

    def busy(self) -> bool:
        """Whether real traffic is under way, so that ticks may not jump."""
        now = time.monotonic()
        with self._lock:
            if self._state == "off":
                return False
            if now < self._expected_until or select.select([self._listener], [], [], 0)[0]:
                return True
            if self._state != "on":
                return False
            for link in self._links:
                if link.portal or link.lost:
                    continue
                if link.up.waiting or link.down.waiting or now - link.moved < QUIET_S:
                    return True
                if link.unanswered and now - link.unanswered < _UNANSWERED_S:
                    return True
                if link.terminal_has_sent():
                    return True
        return False

    def _wake(self) -> None:
        self._wake_out.send(b"\0")

    def _run(self) -> None:
        while not self._closed:
            with self._lock:
                due = [pipe.due for link in self._links for pipe in (link.up, link.down) if pipe.waiting]
                held = self._state != "on"
            timeout = max(0.0, min(due) - time.monotonic()) if due and not held else None
            events = self._selector.select(timeout)
            with self._lock:
                for key, _ in events:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj is self._wake_in:
                        self._wake_in.recv(4096)
                    elif key.data in self._links:
                        self._read(key.data, key.fileobj)
                self._deliver()
        with self._lock:
            for link in list(self._links):
                link.reset()
            self._forget_dead()
        self._selector.close()

    def _accept(self) -> None:
        terminal, _ = self._listener.accept()
        self._expected_until = 0.0
        self.connections += 1
        link = Link(terminal)
        self._links.append(link)
        self._selector.register(terminal, selectors.EVENT_READ, link)
        if self._state == "portal":
            link.answer_and_close(_PORTAL)
        elif self._state == "on" and not link.connect_host(self.host_port):
            link.reset()
        if link.host:
            self._selector.register(link.host, selectors.EVENT_READ, link)

    def _read(self, link: Link, end: object) -> None:
        up = end is link.terminal
        data = link.read(up)
        if data is None:
            return
        if not data:
            self._selector.unregister(end)  # type: ignore[arg-type]
        if link.portal:
            return
        link.moved = time.monotonic()
        if up and data:
            link.unanswered = link.moved
        (link.up if up else link.down).push(data, self.delay_ms / 1000)

    def _deliver(self) -> None:
        for link in self._links:
            if link.lost:
                link.lose()
            elif self._state == "half_open":
                link.swallow()
            elif self._state == "on" and not link.dead:
                self._deliver_link(link)
        self._forget_dead()

    def _deliver_link(self, link: Link) -> None:
        now = time.monotonic()
        for way, pipe in (("up", link.up), ("down", link.down)):
            for data in pipe.take(now):
                room = self._cut[1] if self._cut and self._cut[0] == way else len(data) + 1
                link.write(way == "up", data[:room])
                self._count(way, data[:room])
                if link.lost:
                    return
                if len(data) >= room:
                    self._cut = None
                    link.reset()
                    return

    def _count(self, way: str, data: bytes) -> None:
        if self._cut and self._cut[0] == way:
            self._cut = (way, self._cut[1] - len(data))
        if way == "up":
            self.bytes_up += len(data)
        else:
            self.bytes_down += len(data)
        if self.tap:
            self.tap(way, data)

    def _forget_dead(self) -> None:
        for link in [link for link in self._links if link.dead]:
            self._links.remove(link)
            for end in (link.terminal, link.host):
                if end and end in self._selector.get_map():
                    self._selector.unregister(end)
            link.close()
