# SPDX-License-Identifier: MIT
"""Tests the way to the host, step by step, and names the step that fails. The courier sends the one message this takes."""

from time import ticks_diff, ticks_ms

from micropython import const

from kassa.flows.session import Session
from kassa.screens import theme
from kassa.screens.canvas import RIGHT
from kassa.uplink import answers

_STEPS = ("net_wifi", "net_address", "net_name", "net_host", "net_tls", "net_answer")
_OF_CHANNEL = const(2)  # the first of the steps that a connection takes, see TlsChannel.step
_WIFI_S = const(20)
_HOST_S = const(45)
_LOOK_MS = const(50)


async def test(session: Session) -> None:
    """Run the test. C ends it at any time; what the terminal does meanwhile goes on."""
    results = ["" for _ in _STEPS]
    start = ticks_ms()
    joined = session.connection.wifi.connected()
    cause = "" if joined else await _wifi(session, results)
    if not cause:
        results[0] = _took(session, 0 if joined else ticks_diff(ticks_ms(), start))
        results[1] = session.connection.wifi.address()
        cause = await _host(session, results)
    if cause != "cancel":
        session.ui.shown = None  # without the seconds
        await _page(session, results, cause)
        await session.ui.key("CE", 120000)


async def _wifi(session: Session, results: "list[str]") -> str:
    """Wait until the line has joined the network. Returns "", or why it has not."""
    wifi, start = session.connection.wifi, ticks_ms()
    wifi.cause = ""
    wait = [start, _WIFI_S, -1]
    while ticks_diff(ticks_ms(), start) < _WIFI_S * 1000:
        if wifi.connected():
            return ""
        if wifi.cause:
            break
        if await _cancelled(session, results, wait):
            return "cancel"
    cause = wifi.cause or "wifi"
    if cause == "address":
        results[0] = session.ui.t("test_ok")
    return cause


async def _host(session: Session, results: "list[str]") -> str:
    """Ask the host for an echo, and follow the connection. Returns "", or why there is no answer."""
    from kassa.uplink.management import ECHO, NetworkMessage
    from kassa.uplink.request_result import RequestResult

    courier, connection, outcome = session.courier, session.connection, RequestResult()
    courier.begin(NetworkMessage(ECHO, b"", outcome), outcome)
    start = before = ticks_ms()
    step, wait = 0, [start, _HOST_S, -1]
    while not outcome.kind and ticks_diff(ticks_ms(), start) < _HOST_S * 1000:
        if await _cancelled(session, results, wait):
            courier.end_task()
            return "cancel"
        if connection.channel is None:
            before = ticks_ms()  # it has not begun
        while connection.channel is not None and step < connection.channel.step and step < 3:
            results[_OF_CHANNEL + step] = _took(session, ticks_diff(ticks_ms(), before))
            before = ticks_ms()
            step += 1
    if outcome.kind == answers.YES:
        for place in range(len(results)):
            results[place] = results[place] or _took(session, ticks_diff(ticks_ms(), before))
        return ""
    courier.end_task()
    return connection.cause or "silent"


def _took(session: Session, ms: int) -> str:
    """A step that went well, and how long it took."""
    return session.ui.t("net_ms", ms) if ms > _LOOK_MS else session.ui.t("test_ok")


async def _cancelled(session: Session, results: "list[str]", wait: "list[int]") -> bool:
    """Show how far it has come, and the seconds left. `wait`: since when, for how long, and the seconds that are shown.

    Returns whether C was pressed.
    """
    await _page(session, results, "")
    left = wait[1] - ticks_diff(ticks_ms(), wait[0]) // 1000
    if left != wait[2]:
        wait[2] = left
        await session.ui.canvas.text(240, 40, 64, "%d s" % left, theme.QUIET, align=RIGHT)
    return bool(await session.ui.key("C", _LOOK_MS))


async def _page(session: Session, results: "list[str]", cause: str) -> None:
    """Show the results so far; with `cause`, which step failed and why."""
    from kassa.screens import listing

    ui = session.ui
    place = _failed(session, results, cause) if cause else -1
    rows = []
    for index in range(len(_STEPS)):
        failed = ui.t("net_failed") if index == place else ""
        waits = ui.t("test_wait") if not cause and (not index or results[index - 1]) else ""
        rows.append((ui.t(_STEPS[index]), failed or results[index] or waits))
    await ui.refresh()
    await listing.sheet(ui, ui.t("network_test"), rows, "C=key_back")
    if cause:
        await ui.canvas.fill(16, 32, 288, 28, theme.PAPER)
        await ui.canvas.text(16, 40, 288, theme.WARNING + ui.words.cause(cause), theme.RED)
        ui.shown = None


def _failed(session: Session, results: "list[str]", cause: str) -> int:
    """The place of the step that failed. Steps after it have no result, those before it were taken."""
    place = 0
    if cause == "address":
        place = 1
    elif cause == "dns":
        place = 2
    elif cause == "host":
        place = 3
    elif cause in ("early", "over", "name", "issuer", "refused", "strange", "closed"):
        place = 4
    elif cause == "silent":
        place = 4 if not results[4] else 5
    for index in range(len(results)):
        results[index] = "" if index >= place else results[index] or session.ui.t("test_ok")
    return place
