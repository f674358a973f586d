# SPDX-License-Identifier: MIT
"""The page at the end of what the cashier began: how it ended, or why it cannot be."""

from micropython import const

from kassa import money
from kassa.errors import Refused
from kassa.flows.shop import Shop

_RESULT_MS = const(30000)


async def result(shop: Shop, kind: str, word: str, lines: tuple, amount: int) -> None:
    """Show how it ended, `word` and `lines` as text keys, until the cashier confirms."""
    ui = shop.ui
    said = [ui.t(line) for line in lines]
    await ui.message(kind, ui.t(word), said, "E=key_ok", _RESULT_MS, money.text(amount), fresh=True)


async def refuse(shop: Shop, refused: Refused, amount: int) -> None:
    """Say why the till does not take it, and what would help."""
    ui = shop.ui
    lines = [ui.t(refused.key, *refused.values)]
    if refused.key.startswith("limit"):
        lines.append(ui.t("limit_how"))
    elif refused.key.startswith("card"):
        lines.append(ui.t("use_other"))
    await ui.message("refuse", ui.t("not_taken"), lines, "E=key_ok", _RESULT_MS, money.text(amount))
