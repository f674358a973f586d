# SPDX-License-Identifier: MIT
"""The Wi-Fi station of the chip: MicroPython's ports/esp32/network_wlan.c (v1.26) above the driver of ESP-IDF.

It is as unkind as they are. A connect while the station connects, or is connected, is refused (micropython issues 7139 and
17661). The port connects again by itself, up to `reconnects` times, and by default forever; it does not say when it has
stopped. A wrong password ends in reason 15 or 205 (issue 11625), and reason 15 reads as "still connecting" while the port
repeats. A reason stays until the next address or failure, so one of an earlier attempt shows during the next.
"""

from boards.unix import wiring

IDLE, CONNECTING, GOT_IP = 1000, 1001, 1010  # STAT_* of modnetwork.h
# wifi_err_reason_t of ESP-IDF
ASSOC_LEAVE, HANDSHAKE_TIMEOUT, BEACON_TIMEOUT, NO_AP_FOUND, AUTH_FAIL, CONNECTION_FAIL = 8, 15, 200, 201, 202, 205
_SHOWN = (NO_AP_FOUND, 210, 211, 212, AUTH_FAIL)  # `status` gives these before it says "still connecting"
_JOIN_MS = 400  # virtual ms from connect until the station has an address
_SCAN_MS = 2400  # until no access point was found
_HANDSHAKE_MS = 3000  # until the handshake with a wrong password has failed
REST_MS = 800  # from a disconnect until the station accepts a connect again
FAULTS = ("", "refuses", "hangs", "no_address")


class Station:
    """Takes the commands of network.WLAN. `air(network, key)` says what there is to join: "", "no_ap" or "wrong_key".

    Everything is worked out when the terminal asks, at its virtual time.
    """

    def __init__(self) -> None:
        self.fault = ""
        self.signal = -55  # dBm
        self.saves_power = True  # the chip's default: it sleeps between beacons
        self.refused_connects = 0  # connects that were refused because the station was connecting or connected
        self.power_off()

    def power_off(self) -> None:
        """Lose power."""
        self.fault = ""
        self._on = False
        self._wanted: tuple[str, str] | None = None  # network and key of the last connect
        self._requested = False  # a connect was asked for, and no disconnect since
        self._since: int | None = None  # when the attempt under way began
        self._joined = False
        self._address = False
        self._reason = 0
        self._failures = 0  # since the last connect
        self._limit = 0  # attempts, 0 = no limit
        self._rests_until = 0
        self.saves_power = True

    def drop(self, now: int, fault: str) -> None:
        """Lose the access point, and go into `fault`."""
        self.fault = fault
        self._lose(now)
        if fault == "refuses":
            self._since = None

    def command(self, command: int, data: bytes, now: int, air: str) -> bytes:
        """Handle one message of wiring.WLAN. Returns status, signal and flags."""
        self._advance(now, air)
        refused = False
        if command == wiring.WLAN_ON:
            self._on = True
        elif command == wiring.WLAN_OFF:
            self.fault = ""
            self._leave(now)
            self._on = False
            self._rests_until = now + REST_MS
        elif command == wiring.WLAN_CONNECT:
            refused = not self._connect(data, now)
        elif command == wiring.WLAN_DISCONNECT:
            self._requested = False
            self._leave(now)
        elif command in (wiring.WLAN_RECONNECTS, wiring.WLAN_POWER):
            refused = self._since is not None  # the port sets the whole configuration again: refused while connecting
            if command == wiring.WLAN_POWER and not refused:
                self.saves_power = bool(data[0])
            elif not refused:
                self._limit = data[0]
        flags = (
            (wiring.WLAN_HAS_ADDRESS if self._address else 0)
            | (wiring.WLAN_HAS_AP if self._joined else 0)
            | (wiring.WLAN_REFUSED if refused else 0)
        )
        return self.status().to_bytes(2, "little") + bytes((-self.signal, flags))

    def may_scan(self, now: int, air: str) -> bool:
        """Whether a scan finds anything: not before the interface is on, and not while the station connects."""
        self._advance(now, air)
        return self._on and self._since is None and self.fault != "hangs"

    def wants(self) -> tuple[str, str]:
        """Network and key of the last connect."""
        return self._wanted or ("", "")

    def has_address(self, now: int, air: str) -> bool:
        self._advance(now, air)
        return self._address

    def status(self) -> int:
        """WLAN.status(), in the order of network_wlan_status()."""
        if self._address:
            return GOT_IP
        shown = AUTH_FAIL if self._reason == CONNECTION_FAIL else self._reason
        if shown in _SHOWN:
            return shown
        if shown == ASSOC_LEAVE:
            return IDLE
        if self._requested and (not self._limit or self._failures < self._limit):
            return CONNECTING
        return shown or IDLE

    def _connect(self, data: bytes, now: int) -> bool:
        network, _, key = data.decode(errors="surrogateescape").partition("\0")
        if self._since is not None or self._joined:
            self.refused_connects += self.fault != "hangs"  # a station that hangs cannot be connected rightly
            return False
        if self.fault == "refuses" or now < self._rests_until:
            return False
        self._wanted, self._requested, self._failures, self._since = (network, key), True, 0, now
        return True

    def _leave(self, now: int) -> None:
        if self._joined or self._since is not None:
            self._reason = ASSOC_LEAVE
        self._joined = self._address = False
        if self.fault != "hangs":
            self._since = None
        if self.fault == "refuses":
            self.fault = ""
            self._rests_until = now + REST_MS

    def _lose(self, now: int) -> None:
        """The access point does not answer any more."""
        if self._joined:
            self._joined = self._address = False
            self._failed(BEACON_TIMEOUT, now)

    def _failed(self, reason: int, at: int) -> None:
        """STA_DISCONNECTED: the port connects again, up to its limit."""
        self._reason = reason
        self._since = None
        if self._requested:
            self._failures += 1
            if not self._limit or self._failures < self._limit:
                self._since = at

    def _advance(self, now: int, air: str) -> None:
        """What has happened since the terminal last asked."""
        if self._joined and air:
            self._lose(now)
        while self._on and self._since is not None and self.fault != "hangs":
            end = self._since + {"no_ap": _SCAN_MS, "wrong_key": _HANDSHAKE_MS}.get(air, _JOIN_MS)
            if now < end:
                return
            if air == "no_ap":
                self._failed(NO_AP_FOUND, end)
            elif air == "wrong_key":
                self._failed(CONNECTION_FAIL if self._failures % 2 else HANDSHAKE_TIMEOUT, end)
            else:
                self._since, self._joined = None, True
                self._address = self.fault != "no_address"
                if self._address:
                    self._reason = 0
