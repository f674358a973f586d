# SPDX-License-Identifier: MIT
"""`network.WLAN` as a station. The world's radio holds its state."""

import bus
import wiring

STA_IF = 0
AP_IF = 1

STAT_IDLE = 1000
STAT_CONNECTING = 1001
STAT_GOT_IP = 1010
STAT_NO_AP_FOUND = 201
STAT_WRONG_PASSWORD = 202
_STATES = (STAT_IDLE, STAT_CONNECTING, STAT_GOT_IP, STAT_NO_AP_FOUND, STAT_WRONG_PASSWORD, STAT_IDLE, STAT_CONNECTING)


class WLAN:
    """The Wi-Fi station."""

    IF_STA = STA_IF
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __init__(self, interface: int = STA_IF) -> None:
        self._active = False
        self._reply = bytearray(2)
        self._config = {"mac": b"", "hostname": "kassa", "reconnects": -1, "pm": 1, "channel": 6}

    def active(self, on: bool | None = None) -> bool:
        if on is not None:
            self._active = bool(on)
            self._ask(wiring.WLAN_ON if on else wiring.WLAN_OFF)
        return self._active

    def connect(self, ssid: str = "", key: str = "") -> None:
        """Start joining `ssid`; poll `isconnected` for success. Raises OSError if the driver refuses."""
        if not self._active:
            raise OSError("Wifi Not Started")
        if self._ask(wiring.WLAN_CONNECT, ("%s\0%s" % (ssid, key)).encode()) == wiring.WLAN_REFUSED:
            raise OSError("Wifi Internal State Error")

    def disconnect(self) -> None:
        self._ask(wiring.WLAN_DISCONNECT)

    def isconnected(self) -> bool:
        return self._ask(wiring.WLAN_STATUS) == wiring.WLAN_GOT_IP

    def status(self, what: str | None = None) -> int:
        state = self._ask(wiring.WLAN_STATUS)
        if what == "rssi":
            if state not in (wiring.WLAN_GOT_IP, wiring.WLAN_NO_ADDRESS):
                raise OSError("Wifi Not Connected")
            return -self._reply[1]
        return _STATES[state]

    def scan(self) -> list:
        """[(ssid, bssid, channel, rssi, security, hidden)] of the networks on the air. Raises OSError if not active."""
        if not self._active:
            raise OSError("Wifi Not Started")
        found = self._ask(wiring.WLAN_SCAN)
        return [(b"kassa", b"\x02\x00\x00\x00\x00\x01", 6, -self._reply[1], 3, False)] * found

    def ifconfig(self) -> tuple:
        """(address, netmask, gateway, name server)."""
        if not self.isconnected():
            return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
        return ("192.168.4.20", "255.255.255.0", "192.168.4.1", "192.168.4.1")

    def config(self, what: str | None = None, **settings):
        if what is not None:
            return self._config[what]
        self._config.update(settings)
        return None

    def _ask(self, command: int, data: bytes | None = None) -> int:
        bus.post(wiring.WLAN, command, data)
        bus.answer(self._reply)
        return self._reply[0]
