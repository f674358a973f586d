# SPDX-License-Identifier: MIT
"""Creates the board and the terminal, and runs the terminal. If something is broken, runs safe mode instead.

Nothing is done again and again without an end: what fails here resets the board, the board counts its resets, and the
third within a minute leads to safe mode. If even that cannot run, a page says so and the terminal waits.
"""

import asyncio
import gc
import sys
import time

from micropython import const

_WIDTH = const(320)


def _last_page(display, lines: tuple) -> None:  # noqa: ANN001 - types cost an import here
    """Draw lines of ASCII without any file of kassa, in the interpreter's own font."""
    import framebuf

    display.start()
    strip = bytearray(16 * _WIDTH)  # 8 rows
    frame = framebuf.FrameBuffer(strip, _WIDTH, 8, framebuf.RGB565)
    for row, line in enumerate(lines):
        frame.fill(0)
        frame.text(line, 16, 0, 0xFFFF)
        display.window(0, 40 + 24 * row, _WIDTH, 8)
        display.write(strip)


def _run() -> None:
    """Run the terminal or safe mode. Returns only if neither can run."""
    from board import Board

    board, terminal = Board(), None
    try:
        board.display.reset()  # takes as long as it takes to load the terminal
        reason = board.safe_mode_reason()
        if not reason:
            gc.collect()
            from kassa.terminal import Terminal

            terminal = Terminal(board)  # pyright: ignore[reportArgumentType]  the stubs use other parameter names
    except Exception as error:  # noqa: BLE001 - whatever it is, safe mode is better than none
        sys.print_exception(error)
        reason = type(error).__name__
    try:
        if terminal is not None:
            asyncio.run(terminal.run())  # pyright: ignore[reportArgumentType]  likewise
    except Exception as error:  # noqa: BLE001 - the watchdog runs by now: start again, and be counted
        sys.print_exception(error)
        board.reset()
    try:
        from kassa.safe_mode import SafeMode

        asyncio.run(SafeMode(board, reason).run())  # pyright: ignore[reportArgumentType]
    except Exception as error:  # noqa: BLE001 - the same
        sys.print_exception(error)
        _last_page(board.display, ("KASSA CANNOT START. NO SALES.", "Load the firmware again.", reason))


try:
    _run()
except Exception as error:  # noqa: BLE001 - not even a display
    sys.print_exception(error)
print("kassa: cannot start; waiting. Load the firmware again.")
while True:
    time.sleep(1)
