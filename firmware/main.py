# SPDX-License-Identifier: MIT
"""Takes the board, builds the terminal, runs it."""

import asyncio

from board import Board
from kassa.terminal import Terminal

asyncio.run(Terminal(Board()).run())
