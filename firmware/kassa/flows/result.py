# SPDX-License-Identifier: MIT
"""The page at the end of what the cashier began."""

from micropython import const

from kassa import money
from kassa.flows.shop import Shop

_RESULT_MS = const(30000)


async def result(shop: Shop, kind: str, word: str, lines: tuple, amount: int) -> None:
    """Show how it ended, `word` and `lines` as text keys, until the cashier confirms."""
    ui = shop.ui
    said = [ui.t(line) for line in lines]
    await ui.message(kind, ui.t(word), said, "E=key_ok", _RESULT_MS, money.text(amount), fresh=True)
