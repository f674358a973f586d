# SPDX-License-Identifier: MIT
"""Switches the language of the screens and receipts."""

from kassa.flows.session import Session
from kassa.vault.settings import settings


async def switch(session: Session) -> None:
    """Switch from Chinese to English or back, and store the setting."""
    ui = session.ui
    other = "en" if ui.words.language == "zh" else "zh"
    ui.use(other)
    session.settings.put({settings.LANGUAGE: other.encode()})
