# SPDX-License-Identifier: MIT
"""The networks near the station. In memory only while a network is chosen.

Source: MicroPython 1.26, ports/esp32/network_wlan.c, network_wlan_scan(): blocks for about 2.4 s, finds nothing while the
station connects, and gives a hidden network no name.
"""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from network import WLAN

_MOST = const(24)


def near(wlan: "WLAN") -> "list[tuple[bytes, int, int]]":
    """(name, dBm, security as in wifi_auth_mode_t of ESP-IDF) of each network that tells its name, strongest first."""
    found = []
    try:
        wlan.active(True)
        heard = wlan.scan()
    except (OSError, RuntimeError):
        return found
    for name, _, _, signal, security, _ in heard:
        if name and not any([name == known[0] for known in found]):  # several access points: the strongest comes first
            found.append((name, signal, security))
    found.sort(key=_strength)
    return found[:_MOST]


def _strength(network: "tuple[bytes, int, int]") -> int:
    return -network[1]
