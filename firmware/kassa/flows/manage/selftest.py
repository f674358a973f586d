# SPDX-License-Identifier: MIT
"""The self-test: each part of the terminal in a line, with its result in plain words; then, if wanted, the keys."""

import gc
from time import ticks_diff, ticks_ms

from micropython import const

from kassa.errors import CryptoError, PrinterFault, SettingsError
from kassa.flows.session import Session

_PRINTER = const(0x20)  # setting: see flows/steps/paper.py; 0 columns = there is none
_KEYS = "0123456789ECBMUD"
_LAST_MS = const(10000)  # without a new key


async def selftest(session: Session) -> None:
    """Test all that needs nobody, and show the results; E goes on to the keys."""
    from kassa.screens import listing

    ui, keys = session.ui, ""
    await ui.show("wait", ui.t("selftest"), (ui.t("seconds", 2),), "=please_wait")
    printer = await _printer(session)
    await session.reader.check()
    while True:
        gc.collect()
        rows = (
            (ui.t("check_display"), _display(session)),
            (ui.t("test_reader"), ui.t("test_ok" if session.reader.works else "check_silent")),
            (ui.t("check_printer"), ui.t(printer)),
            (ui.t("check_flash"), ui.t("check_damaged" if _damaged(session) else "test_ok")),
            (ui.t("check_clock"), ui.t("test_ok" if session.clock.trusted else "check_unsure")),
            (ui.t("check_keys"), keys) if keys else (ui.t("about_memory"), "%d KiB" % (gc.mem_free() // 1024)),
        )
        ui.shown = None
        await listing.sheet(ui, ui.t("selftest"), rows, "E=key_keys C=key_back")
        if await ui.key("EC") != ord("E"):
            return
        keys = await _keys(session)


def _display(session: Session) -> str:
    """Whether the display's controller answers. Without MISO nobody can tell, but whoever reads this knows."""
    board = session.board
    if not board.display_miso:
        return session.ui.t("check_untold")
    return session.ui.t("test_ok" if board.display_answers() else "check_silent")


async def _printer(session: Session) -> str:
    """A text key: what the printer says."""
    columns = session.settings.get(_PRINTER, b"\x20")[0]
    if not columns:
        return "test_none"
    try:
        await session.printer(columns).ready()
    except PrinterFault as fault:
        return "check_paper" if "paper" in str(fault) else "check_silent"
    return "test_ok"


def _damaged(session: Session) -> bool:
    """Whether cryptography, settings or journal are not what they should be. Reads the whole of the settings."""
    from kassa.crypto.device_keys import self_test
    from kassa.vault.settings import settings

    try:
        self_test(session.entropy)
        session.settings.get(settings.TERMINAL)
    except (CryptoError, SettingsError):
        return True
    return bool(session.till.journal.unreadable)


async def _keys(session: Session) -> str:
    """Let the cashier press every key; ends after the last one, or ten seconds without a new one. Returns the result."""
    ui, left = session.ui, _KEYS
    start = ticks_ms()
    while left and ticks_diff(ticks_ms(), start) < _LAST_MS:
        spaced = " ".join(left.replace("U", "↑").replace("D", "↓"))
        await ui.show("ask", ui.t("keys_title"), (spaced, ui.t("keys_note")))
        key = chr(await ui.key(_KEYS, 500) or 32)
        if key in left:
            left = left.replace(key, "")
            start = ticks_ms()
    return ui.t("check_left", len(left)) if left else ui.t("check_all")
