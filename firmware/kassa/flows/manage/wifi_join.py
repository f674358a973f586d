# SPDX-License-Identifier: MIT
"""Joins another Wi-Fi network: choose it, type its passphrase, join, and only then store it. Else the old one is kept."""

import asyncio
from time import ticks_diff, ticks_ms

from micropython import const

from kassa.crypto.wipe import zero, zero_bytes
from kassa.errors import FlashFault, SettingsError
from kassa.flows.session import Session
from kassa.vault.settings import settings

_LONGEST = const(63)  # characters of a passphrase (WPA2: IEEE 802.11, J.4.1)
_SHORTEST = const(8)
_LONGEST_NAME = const(32)
_OPEN = const(0)  # wifi_auth_mode_t of ESP-IDF
_WEP = const(1)
_ENTERPRISE = (5, 12, 13, 14)  # WPA2, WPA3 and mixed: they want an account
_STRONG, _GOOD = const(-60), const(-72)  # dBm
_JOIN_S = const(15)
_LOOK_MS = const(200)


async def join(session: Session) -> None:
    """Choose and join a network. The line to the host waits meanwhile, and uses the network of the settings afterwards."""
    wifi, passphrase = session.connection.wifi, bytearray(_LONGEST)
    wifi.taken = 1
    try:
        found = await _chosen(session)
        while found is not None and not await _try(session, found[0], found[2], passphrase):
            found = await _chosen(session)
    finally:
        zero(passphrase)
        wifi.taken = 0


async def _chosen(session: Session) -> "tuple[bytes, int, int] | None":
    """Show the networks that are near. Returns (name, dBm, security) of the chosen one, None if the cashier goes back."""
    ui, wifi = session.ui, session.connection.wifi
    await ui.show("wait", ui.t("wifi_join"), (ui.t("wifi_looking"),), "=please_wait")
    if not wifi.connected():
        await wifi.leave()  # while the station connects, it finds nothing
    near = wifi.scan()
    ui.keypad.flush()
    own = session.settings.get(settings.WIFI_NAME, b"") if wifi.connected() else b""
    rows = [(shown(name), _kind(session, name == own, signal, security)) for name, signal, security in near]
    rows.append((ui.t("wifi_other"), ""))
    row = await ui.list(ui.t("wifi_join"), rows)
    if row is None or row < len(near):
        return None if row is None else near[row]
    return await _named(session)


async def _named(session: Session) -> "tuple[bytes, int, int] | None":
    """Ask for the name of a network that does not tell it."""
    from kassa.screens import text_entry

    name = bytearray(_LONGEST_NAME)
    count = await text_entry.run(session.ui, session.ui.t("wifi_name"), 1, name, secret=False)
    if count < 0:
        return None
    row = await session.ui.menu(session.ui.t("wifi_security"), (session.ui.t("wifi_secret"), session.ui.t("wifi_open")))
    return None if row is None else (bytes(name[:count]), 0, _OPEN if row else 3)


def _kind(session: Session, own: bool, signal: int, security: int) -> str:
    """Strength and security in words."""
    t = session.ui.t
    words = t("near_strong" if signal >= _STRONG else "near_good" if signal >= _GOOD else "near_weak")
    if own:
        return t("near_in_use", words)
    return t("near_open_too", words) if security == _OPEN else words


def shown(name: bytes) -> str:
    """The name of a network as text. It may be any bytes."""
    try:
        return str(name, "utf-8")
    except UnicodeError:
        return "".join([chr(byte) if 32 <= byte < 127 else "?" for byte in name])


async def _try(session: Session, name: bytes, security: int, passphrase: bytearray) -> bool:
    """Ask for the passphrase and join. Returns whether the flow is at its end; else the networks are shown again."""
    ui, count = session.ui, 0
    if security in _ENTERPRISE:
        await ui.message("refuse", shown(name), (ui.t("wifi_account"), ui.t("wifi_account_note")))
        return False
    while True:
        if security == _OPEN:
            if await ui.message(
                "ask", shown(name), (ui.t("wifi_open"), ui.t("wifi_open_note")), "E=key_join C=key_back"
            ) != ord("E"):
                return False
        else:
            from kassa.screens import text_entry

            least = 5 if security == _WEP else _SHORTEST
            count = await text_entry.run(ui, ui.t("wifi_secret"), least, passphrase, count)
            if count < 0:
                return False
        cause = await _attempt(session, name, bytes(memoryview(passphrase)[:count]))
        if not cause:
            return await _store(session, name, memoryview(passphrase)[:count])
        lines = (ui.t("wifi_no_%s" % cause), ui.t("wifi_kept"))
        key = await ui.message("warn", ui.t("wifi_failed"), lines, "E=key_retry C=key_back", fresh=True)
        if key != ord("E"):
            zero(passphrase)
            return False


async def _attempt(session: Session, name: bytes, key: bytes) -> str:
    """Join, with seconds that count down; C gives up. Returns "", or why it failed. Zeroes `key`."""
    ui, wifi = session.ui, session.connection.wifi
    await ui.show("wait", ui.t("wifi_joining"), (shown(name),), "C=key_cancel")
    await wifi.leave()
    task, start = asyncio.create_task(wifi.join(name, key)), ticks_ms()
    try:
        while not task.done():
            left = max(0, _JOIN_S - ticks_diff(ticks_ms(), start) // 1000)
            lines = (shown(name), ui.t("at_most", left))
            await ui.show("wait", ui.t("wifi_joining"), lines, "C=key_cancel", "", 288 * left // _JOIN_S)
            if await ui.key("C", _LOOK_MS):
                wifi.taken = 2
                await ui.show("wait", ui.t("wifi_joining"), (shown(name), ui.t("cancelled")), "=please_wait")
                await task
                wifi.taken = 1
                if wifi.connected():  # it worked in this moment
                    await wifi.leave()
                return "cancel"
    finally:
        zero_bytes(key)
    return "" if wifi.connected() else wifi.cause


async def _store(session: Session, name: bytes, passphrase: memoryview) -> bool:
    """Store the network that works, and say so."""
    ui = session.ui
    try:
        session.settings.put({settings.WIFI_NAME: name, settings.WIFI_PASSWORD: passphrase})  # pyright: ignore[reportArgumentType]  copied
    except (FlashFault, SettingsError):
        await ui.message("warn", ui.t("wifi_not_stored"), (ui.t("fault_flash"),), fresh=True)
        return True
    await ui.message("ok", ui.t("wifi_joined"), (shown(name), session.connection.wifi.address()), fresh=True)
    return True
