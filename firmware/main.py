# SPDX-License-Identifier: MIT
"""Creates the board and the terminal, and runs the terminal."""

import asyncio
import gc

gc.threshold(2048)  # collect early and often: long-lived objects stay close together, so the heap does not fragment

from board import Board  # noqa: E402
from kassa.terminal import Terminal  # noqa: E402

asyncio.run(Terminal(Board()).run())  # pyright: ignore[reportArgumentType]  the stubs use other parameter names
