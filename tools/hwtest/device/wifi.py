# SPDX-License-Identifier: MIT
"""Wi-Fi: a scan. Names of networks are not reported. Joins nothing."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tools.hwtest.device.common import Absent, row, start

_WEAK = -80  # dBm


async def wifi(it: "Any") -> None:
    """The station is on for the scan only."""
    import network

    station = network.WLAN(network.STA_IF)

    async def scan() -> str:
        station.active(True)
        try:
            found = station.scan()
        finally:
            station.active(False)
        if not found:
            raise Absent("the antenna, and that an access point of 2.4 GHz is near")
        best = max([entry[3] for entry in found])
        return "networks: %d, the strongest at %d dBm%s" % (len(found), best, " (weak)" if best < _WEAK else "")

    await row("Wi-Fi", "scan", scan, 15000)


start(wifi)
