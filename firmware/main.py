# SPDX-License-Identifier: MIT
"""Takes the board, builds the terminal, runs it."""

import asyncio
import gc

gc.threshold(2048)  # collect early and often: what lives long lies close together, and the heap stays whole

from board import Board  # noqa: E402
from kassa.terminal import Terminal  # noqa: E402

asyncio.run(Terminal(Board()).run())  # pyright: ignore[reportArgumentType]  the stubs name parameters otherwise
