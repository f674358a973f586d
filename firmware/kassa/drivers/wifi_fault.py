# SPDX-License-Identifier: MIT
"""Why the Wi-Fi station is not connected. In memory only after a failure.

Source: MicroPython 1.26, ports/esp32/network_wlan.c, network_wlan_status(), and wifi_err_reason_t of ESP-IDF.
"""

from micropython import const

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from network import WLAN

# `status()` is the reason for the last disconnect, once the port repeats no more. A reason stays while a later attempt runs.
_NO_NETWORK = (201, 210, 211, 212)  # not found: at all, or not with this security, authentication or signal
_BAD_PASSWORD = (2, 14, 15, 202, 204)  # authentication expired, MIC failure, 4-way handshake, failed (or 205), time-out


def reason(wlan: "WLAN") -> str:
    """A key of screens/texts/causes_en.py. For the moment after a failure: a disconnect changes the status."""
    try:
        wlan.status("rssi")  # fails without an access point: with one, it is the address that is missing
        return "address"
    except (OSError, RuntimeError):
        pass
    state = wlan.status()
    return "password" if state in _BAD_PASSWORD else "network" if state in _NO_NETWORK else "wifi"
