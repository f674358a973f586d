# SPDX-License-Identifier: MIT
"""Asks for the supervisor's code. Five tries, then a pause that doubles; the code is never kept."""

import asyncio

from micropython import const

from kassa.crypto.cmac import cmac, equal
from kassa.crypto.wipe import zero
from kassa.flows.shop import Shop
from kassa.vault import settings

_DIGITS = const(6)
_TRIES = const(5)


async def allowed(shop: Shop) -> bool:
    """Whether a supervisor agreed. False after Cancel."""
    ui = shop.ui
    check = shop.settings.get(settings.SUPERVISOR, b"")
    if len(check) != 24:
        return False
    left = _TRIES
    pause = 30
    hint = ""
    while True:
        code = bytearray(_DIGITS)
        try:
            if not await ui.code(ui.t("code_title"), _DIGITS, code, hint):
                return False
            if equal(cmac(shop.secret_key, check[:8] + code), check[8:]):
                return True
        finally:
            zero(code)
        left -= 1
        hint = ui.t("code_wrong")
        if not left:
            await ui.show("refuse", ui.t("code_wrong"), (ui.t("code_wait", pause),))
            await asyncio.sleep(pause)
            left, pause = _TRIES, pause * 2
