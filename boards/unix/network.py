# SPDX-License-Identifier: MIT
"""`network.WLAN` as a station. The world's radio holds its state."""

import time

from micropython import const

import bus
import wiring

_SCAN_MS = const(2400)  # 13 channels

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

    def connect(self, ssid: str | bytes = "", key: str | bytes = "") -> None:
        """Start joining `ssid`; poll `isconnected` for success. Raises OSError if the driver refuses."""
        if not self._active:
            raise OSError("Wifi Not Started")
        if self._ask(wiring.WLAN_CONNECT, _raw(ssid) + b"\0" + _raw(key)) & wiring.WLAN_REFUSED:
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
        """[(ssid, bssid, channel, rssi, security, hidden)] of the networks on the air; empty while the station connects.

        As in the port, a hidden network has no name, and `hidden` is never set. Blocks as long as the chip does. Raises
        OSError if not active.
        """
        if not self._active:
            raise OSError("STA must be active")
        time.sleep_ms(_SCAN_MS)
        size = bus.ask_number(wiring.WLAN, wiring.WLAN_SCAN, 2)
        data = bytearray(size)
        bus.answer(data)
        found, at = [], 0
        while at < size:
            name = bytes(data[at + 1 : at + 1 + data[at]])
            at += 1 + data[at]
            found.append((name, bytes(data[at : at + 6]), data[at + 6], -data[at + 7], data[at + 8], False))
            at += 9
        return found

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


def _raw(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode()
