# SPDX-License-Identifier: MIT
"""Safe mode: sells nothing and writes nothing; says why, and what to do. Needs neither settings nor journal to work.

It has no watchdog. Its texts are here, in both languages at once, because the settings may be unreadable.
"""

import asyncio
import sys

from micropython import const

from kassa.screens import font, theme
from kassa.screens.canvas import CENTRE, HEIGHT, WIDTH, Canvas

TYPE_CHECKING = const(False)
if TYPE_CHECKING:
    from kassa.hardware import Board

_BAND = const(56)  # rows of the red band
_PITCH = const(20)  # the text face has 16 rows
_LOOK_MS = const(50)

_WHY = {
    "keys": ("安全模式：已按住 C 和 E 开机", "Keys C and E were held at power-on"),
    "resets": ("安全模式：连续三次重启", "Three restarts in a row"),
}
_BROKEN = ("安全模式：固件损坏 %s", "Firmware damaged: %s")
_WORDS = (
    "停止收款，交易数据未改动",
    "No sales. No payment was changed.",
    "按 E 重试；如仍失败，请联系维护人员",
    "E: try again. If not: call service.",
    "维护人员可通过 USB 读取交易日志",
    "Service reads the journal over USB.",
)


class SafeMode:
    """`board`: see boards/*/board.py. `reason`: see `safe_mode_reason` in drivers/starts.py, or the name of an error."""

    def __init__(self, board: "Board", reason: str) -> None:
        self._board = board
        self._reason = reason

    async def run(self) -> None:
        """Show the page until E is pressed, then restart the board. Does not return."""
        board = self._board
        board.display.start()
        await self._draw()
        serving = self._serve()
        while board.keypad.holds("C") or board.keypad.holds("E"):  # still held since power-on
            await asyncio.sleep_ms(_LOOK_MS)
        scanning = asyncio.create_task(board.keypad.run())
        while await board.keypad.get() != ord("E"):
            pass
        scanning.cancel()
        if serving is not None:
            serving.cancel()
        board.forget_resets()
        board.reset()

    async def _draw(self) -> None:
        canvas = Canvas(self._board.display, font.Font())
        await canvas.fill(0, 0, WIDTH, _BAND, theme.RED)
        await canvas.fill(0, _BAND, WIDTH, HEIGHT - _BAND, theme.PAPER)
        await canvas.text(0, 16, WIDTH, "暂停服务 Safe mode", theme.DAY, theme.RED, CENTRE, font.TITLE)
        y = _BAND + 4
        why = _WHY.get(self._reason) or [line % self._reason for line in _BROKEN]
        for line in tuple(why) + _WORDS:
            await canvas.text(8, y, WIDTH - 16, line, align=CENTRE)
            y += _PITCH

    def _serve(self) -> "asyncio.Task | None":
        """Answer the service tool on the console. Safe mode works without, if that file is damaged too."""
        try:
            from kassa import journal_export

            board = self._board
            serving = journal_export.serve(board.journal, board.reset_cause(), self._reason, _last_stop(board))
            return asyncio.create_task(serving)
        except Exception as error:  # noqa: BLE001 - whatever it is, the page must stay
            sys.print_exception(error)
            return None


def _last_stop(board: "Board") -> str:
    """The reason of the last stop, as stored; the name of an error if it cannot be read."""
    try:
        from kassa.vault.settings import stop_reason

        return stop_reason.read(board.settings)
    except Exception as error:  # noqa: BLE001 - the journal matters more
        return type(error).__name__
