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


class WLAN:
    """The Wi-Fi station."""

    IF_STA = STA_IF
    PM_NONE = 0
    PM_PERFORMANCE = 1
    PM_POWERSAVE = 2

    def __init__(self, interface: int = STA_IF) -> None:
        self._active = False
        self._reply = bytearray(4)
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
        if self._ask(wiring.WLAN_CONNECT, ("%s\0%s" % (ssid, key)).encode()) & wiring.WLAN_REFUSED:
            raise OSError("Wifi Internal Error")

    def disconnect(self) -> None:
        if not self._active:
            raise OSError("Wifi Not Started")
        self._ask(wiring.WLAN_DISCONNECT)

    def isconnected(self) -> bool:
        return bool(self._ask(wiring.WLAN_STATUS) & wiring.WLAN_HAS_ADDRESS)

    def status(self, what: str | None = None) -> int:
        flags = self._ask(wiring.WLAN_STATUS)
        if what == "rssi":
            if not flags & wiring.WLAN_HAS_AP:
                raise OSError("Wifi Not Connected")
            return -self._reply[2]
        return self._reply[0] | self._reply[1] << 8

    def scan(self) -> list:
        """[(ssid, bssid, channel, rssi, security, hidden)] of the networks on the air. Raises OSError if not active."""
        if not self._active:
            raise OSError("Wifi Not Started")
        if not self._ask(wiring.WLAN_SCAN) & wiring.WLAN_NEAR:
            return []
        return [(b"kassa", b"\x02\x00\x00\x00\x00\x01", 6, -self._reply[2], 3, False)]

    def ifconfig(self) -> tuple:
        """(address, netmask, gateway, name server)."""
        if not self.isconnected():
            return ("0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0")
        return ("192.168.4.20", "255.255.255.0", "192.168.4.1", "192.168.4.1")

    def config(self, what: str | None = None, **settings):
        """Read one setting, or set some. Raises OSError while the station connects, as the port does."""
        if what is not None:
            return self._config[what]
        for name, value in settings.items():
            flags = 0
            if name == "pm":
                flags = self._ask(wiring.WLAN_POWER, bytes((value != self.PM_NONE,)))
            elif name == "reconnects":
                flags = self._ask(wiring.WLAN_RECONNECTS, bytes((value + 1,)))
            if flags & wiring.WLAN_REFUSED:
                raise OSError("Wifi Internal State Error")
            self._config[name] = value
        return None

    def _ask(self, command: int, data: bytes | None = None) -> int:
        bus.post(wiring.WLAN, command, data)
        bus.answer(self._reply)
        return self._reply[3]
