# SPDX-License-Identifier: MIT
"""The network: joining a Wi-Fi network, and testing the way to the host."""

from tools.scenes.stage import Stage
from tools.typing_keys import keys
from tools.world.access_points import OPEN, AccessPoint

_STEPS = ("net_wifi", "net_address", "net_name", "net_host", "net_tls", "net_answer")  # with milliseconds


def test(stage: Stage) -> None:
    """The network is tested"""
    stage.menu("network_test")
    stage.see_passing("network-testing", "network_test", "net_wifi", "%d s", hide=(*_STEPS, "%d s"))
    stage.wait("net_answer", "net_answer", "test_ok")
    stage.see("network-tested", "network_test", "net_answer", hide=_STEPS)


def join(stage: Stage) -> None:
    """Another Wi-Fi network is joined"""
    stage.world.radio.others = (
        AccessPoint("shop-upstairs", -58, key="blue-Teapot 9"),
        AccessPoint("market-hall", -68, OPEN),
    )
    stage.menu("wifi_join")
    stage.see("wifi-networks", "wifi_join", "shop-upstairs", "wifi_other")
    place = [line for line in stage.world.screen_text() if line.startswith(("shop-", "kassa-", "market-"))]
    stage.press("D" * next(row for row, line in enumerate(place) if line.startswith("shop-")) + "E")
    stage.see("wifi-passphrase", "wifi_secret")
    stage.press(keys("blue-T"))
    stage.wait("wifi_secret", "6/63")
    stage.world.run_for(3000)
    stage.see("wifi-typing", "wifi_secret", "6/63")
    stage.press(keys("eapot "))
    stage.wait("wifi_secret", "12/63")
    stage.press(keys("9") + "E")
    stage.see_wait("wifi-joining", "wifi_joining", "shop-upstairs")
    stage.see("wifi-joined", "wifi_joined", "shop-upstairs")
    stage.home()
    stage.network("on")


def join_wrongly(stage: Stage) -> None:
    """A wrong passphrase"""
    stage.world.radio.others = (AccessPoint("shop-upstairs", -58, key="another-one"),)
    stage.menu("wifi_join")
    stage.wait("wifi_join", "wifi_other")
    place = [line for line in stage.world.screen_text() if line.startswith(("shop-", "kassa-"))]
    stage.press("D" * next(row for row, line in enumerate(place) if line.startswith("shop-")) + "E")
    stage.wait("wifi_secret")
    stage.press(keys("teapot"))
    stage.wait("wifi_secret", "6/63")
    stage.press(keys("99") + "E")
    stage.see("wifi-not-joined", "wifi_failed", "wifi_no_password", "wifi_kept")
    stage.press("C")
    stage.wait("wifi_join", "wifi_other")
    stage.press("C")


def join_hidden(stage: Stage) -> None:
    """A network that does not tell its name"""
    stage.menu("wifi_join")
    stage.wait("wifi_join", "wifi_other")
    lines = [line for line in stage.world.screen_text() if line.startswith(("shop-", "kassa-"))]
    stage.press("D" * len(lines) + "E")
    stage.wait("wifi_name")
    stage.press(keys("annex"))
    stage.wait("wifi_name", "5/32")
    stage.world.run_for(3000)
    stage.see("wifi-name", "wifi_name", "annex")
    stage.press("E")
    stage.see("wifi-security", "wifi_security", "wifi_secret", "wifi_open")
    stage.press("C")


PLAYS = (test, join, join_wrongly, join_hidden)
