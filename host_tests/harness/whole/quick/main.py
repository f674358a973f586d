# SPDX-License-Identifier: MIT
"""Runs the terminal as firmware/main.py does, but without its early garbage collections: they take 90 % of a test's CPU time."""

import asyncio

from board import Board
from kassa.terminal import Terminal

asyncio.run(Terminal(Board()).run())
