# SPDX-License-Identifier: MIT
"""Sets the brightness of the display and the loudness of the buzzer. Both are stored."""

from kassa.errors import FlashFault, SettingsError
from kassa.flows.session import Session


async def brightness(session: Session) -> None:
    """Choose one of five levels; each shows at once. C takes the old one again."""
    from kassa.screens import level
    from kassa.vault.settings import device

    ui, board = session.ui, session.board
    light, sound = device.levels(session.settings.get(device.DEVICE, b""))
    if not board.shine(light):
        await ui.message("ask", ui.t("brightness"), (ui.t("light_none"),))
        return
    chosen = await level.run(ui, ui.t("brightness"), 1, device.BRIGHTEST, light, ui.t("level_note"), board.shine)
    if chosen > 0:
        await _store(session, chosen, sound)
    else:
        board.shine(light)


async def sound(session: Session) -> None:
    """Choose off or one of three levels; each is heard at once."""
    from kassa.screens import level
    from kassa.vault.settings import device

    ui, board = session.ui, session.board
    light, loud = device.levels(session.settings.get(device.DEVICE, b""))
    if not board.sounds:
        await ui.message("ask", ui.t("sound"), (ui.t("sound_none"),))
        return

    def change(now: int) -> None:
        board.loud = now
        session.beep("ok")

    chosen = await level.run(ui, ui.t("sound"), 0, device.LOUDEST, loud, ui.t("level_note"), change)
    board.loud = chosen if chosen >= 0 else loud
    if chosen >= 0:
        await _store(session, light, chosen)


async def _store(session: Session, light: int, loud: int) -> None:
    from kassa.vault.settings import device

    try:
        session.settings.put({device.DEVICE: bytes((light, loud))})
    except (FlashFault, SettingsError):
        await session.ui.message("warn", session.ui.t("fault_flash"))
