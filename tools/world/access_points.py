# SPDX-License-Identifier: MIT
"""The access points that the terminal's Wi-Fi station hears beside the shop's own, and the bytes of a scan."""

from collections.abc import Iterable
from dataclasses import dataclass

OPEN, WPA_PSK, WPA2_PSK, ENTERPRISE, WPA3_PSK = 0, 2, 3, 5, 6  # wifi_auth_mode_t of ESP-IDF


@dataclass(frozen=True)
class AccessPoint:
    """`name`: at most 32 bytes; a hidden one tells none in a scan. `key`: its password, None = any. `signal`: dBm.

    Terminals that join it reach the host as through the shop's own.
    """

    name: str
    signal: int = -60
    security: int = WPA2_PSK
    key: str | None = None
    channel: int = 6
    hidden: bool = False


# What a shop in a street hears.
NEIGHBOURS = (
    AccessPoint("TP-LINK_8A2F", -63, WPA2_PSK, "neighbour-1", 1),
    AccessPoint("张记面馆", -71, WPA2_PSK, "zhangji888", 11),
    AccessPoint("Mall Free WiFi", -67, OPEN, "", 6),
    AccessPoint("office", -78, ENTERPRISE, "", 11),
    AccessPoint("TP-LINK_8A2F", -82, WPA2_PSK, "neighbour-1", 9),
    AccessPoint("backroom", -58, WPA3_PSK, "behind the counter", 3, hidden=True),
)


def scan(found: Iterable[AccessPoint]) -> bytes:
    """The answer to wiring.WLAN_SCAN, strongest first, as the driver sorts them."""
    heard = b"".join(
        _record(number, point) for number, point in enumerate(sorted(found, key=lambda point: -point.signal), 1)
    )
    return len(heard).to_bytes(2, "little") + heard


def _record(number: int, point: AccessPoint) -> bytes:
    name = b"" if point.hidden else point.name.encode()
    address = bytes((2, 0, 0, 0, 0, number))
    return bytes((len(name),)) + name + address + bytes((point.channel, -point.signal, point.security))
