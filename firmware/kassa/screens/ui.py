# SPDX-License-Identifier: MIT
"""What flows call: one method for each page. A page that waits for more than a key is loaded when it is shown."""

from micropython import const

from kassa.screens import message
from kassa.screens.screen import IDLE_MS, Screen

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kassa.screens.listing import Rows
    from kassa.screens.number import Scanner

    Lines = Sequence[str]


class Ui(Screen):
    """One screen, one cashier."""

    async def home(
        self, name: str, lines: "Callable[[], Lines | None]", keys: str = "M=key_menu", timeout_ms: int = IDLE_MS
    ) -> int:
        """The resting page; `lines` is asked again and again.

        Returns the first digit of an amount or another key of `keys`; 0 after `timeout_ms`, or when `lines` gives None.
        """
        from kassa.screens import home

        return await home.run(self, name, lines, keys, timeout_ms)

    async def amount(self, title: str, limit: int = 0, first: int = 0, note: str = "") -> int | None:
        """Ask for an amount in minor units, at most `limit` (0 = twelve digits). `first`: a digit already pressed;
        `note`: what to know, instead of the limit.
        """
        from kassa.screens import amount

        return await amount.run(self, title, limit, first, note)

    async def number(
        self,
        title: str,
        least: int,
        most: int,
        hint: str,
        amount: str,
        empty: bool = False,
        scanner: "Scanner | None" = None,
    ) -> str | None:
        """Ask for `least` to `most` digits that are no amount; see screens/number.py. None when cancelled."""
        from kassa.screens import number

        return await number.run(self, title, least, most, hint, amount, empty, scanner)

    async def menu(self, title: str, items: "Lines", chosen: int = 0) -> int | None:
        """Let one of `items` be chosen. Returns its index."""
        from kassa.screens import menu

        return await menu.run(self, title, items, chosen)

    async def message(
        self,
        kind: str,
        title: str,
        lines: "Lines" = (),
        keys: str = "E=key_ok",
        timeout_ms: int = IDLE_MS,
        amount: str = "",
        fresh: bool = False,
    ) -> int:
        """Show a result or a question and wait for a key; 0 after `timeout_ms`. See message.py for `kind`.

        With `fresh`, keys pressed before the page stood do not count: for what nobody may skip by accident.
        """
        await message.show(self, kind, title, lines, keys, amount)
        if fresh:
            self.keypad.flush()
        return await self.key(_keys(keys), timeout_ms)

    async def show(
        self,
        kind: str,
        title: str,
        lines: "Lines" = (),
        keys: str = "",
        amount: str = "",
    ) -> None:
        """Draw a message and return at once. Shown again with other lines, only those are redrawn."""
        await message.show(self, kind, title, lines, keys, amount)
        await self.refresh()

    async def list(self, title: str, rows: "Rows", choose: bool = True) -> int | None:
        """Leaf through `rows` of (left, right) texts. Returns the index of the one opened with E when `choose`."""
        from kassa.screens import listing

        return await listing.run(self, title, rows, choose)

    async def code(self, title: str, digits: int, into: bytearray, hint: str = "") -> int:
        """Ask for a secret of `digits` digits into `into` (ASCII), shown as dots. Returns the count, 0 = cancelled."""
        from kassa.screens import pin

        return await pin.run(self, title, digits, into, hint)


def _keys(hints: str) -> str:
    """`E=key_ok UD=key_choose` -> `EUD`."""
    return "".join([hint.partition("=")[0] for hint in hints.split()])
