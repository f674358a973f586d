# SPDX-License-Identifier: MIT
"""What flows call: one method per page. Every page except the message is loaded when it is shown."""

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
        """Show the home page. `lines` is called repeatedly for its lines.

        Returns a digit key or one of `keys`; 0 after `timeout_ms`, or when `lines` returns None.
        """
        from kassa.screens import home

        return await home.run(self, name, lines, keys, timeout_ms)

    async def amount(self, title: str, limit: int = 0, first: int = 0, note: str = "") -> int | None:
        """Ask for an amount, at most `limit` (0 = twelve digits). Returns minor units, or None when cancelled.

        `first`: a digit key already pressed. `note`: text shown instead of the limit.
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
        act: str = "",
    ) -> str | None:
        """Ask for a number of `least` to `most` digits; see number.py. Returns None when cancelled."""
        from kassa.screens import number

        return await number.run(self, title, least, most, hint, amount, empty, scanner, act)

    async def menu(self, title: str, items: "Lines", chosen: int = 0) -> int | None:
        """Let the cashier choose one of `items`. Returns its index, or None when the cashier goes back."""
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
        """Show a result or a question and wait for a key. Returns the key, 0 after `timeout_ms`. `kind`: see message.py.

        `fresh`: ignore keys pressed before the page was shown, so that nobody skips it by accident.
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
        left: int = 0,
    ) -> None:
        """Draw a message and return at once. What has not changed is not redrawn. `left`: see message.py."""
        await message.show(self, kind, title, lines, keys, amount, left)
        await self.refresh()

    async def list(self, title: str, rows: "Rows", choose: bool = True, act: str = "", at: int = 0) -> int | None:
        """Show `rows` of (left, right) texts. Returns the index of the row opened (if `choose`), or None; see listing.py."""
        from kassa.screens import listing

        return await listing.run(self, title, rows, choose, act, at)

    async def code(self, title: str, digits: int, into: bytearray, hint: str = "") -> int:
        """Ask for a secret of `digits` digits, shown as dots. Fills `into` (ASCII). Returns the count, 0 when cancelled."""
        from kassa.screens import pin

        return await pin.run(self, title, digits, into, hint)


def _keys(hints: str) -> str:
    """The keys in the hints: `E=key_ok UD=key_choose` -> `EUD`."""
    return "".join([hint.partition("=")[0] for hint in hints.split()])
