# SPDX-License-Identifier: MIT
"""Chooses the language of the screens and receipts."""

from kassa.errors import FlashFault, SettingsError
from kassa.flows.session import Session
from kassa.vault.settings import settings

_CODES = ("zh", "en")
_NAMES = ("中文", "English")  # each in its own language


async def switch(session: Session) -> None:
    """Choose a language, and store it."""
    ui = session.ui
    chosen = await ui.menu(ui.t("language_title"), _NAMES, _CODES.index(ui.words.language))
    if chosen is not None and _CODES[chosen] != ui.words.language:
        try:
            session.settings.put({settings.LANGUAGE: _CODES[chosen].encode()})
            ui.use(_CODES[chosen])
        except (FlashFault, SettingsError):
            await ui.message("warn", ui.t("not_done"), (ui.t("fault_flash"),))
