# SPDX-License-Identifier: MIT
"""Imported first where there is no world: asyncio takes MicroPython's own poller, not the board's, which asks the world."""

import sys

import uselect

sys.modules["select"] = uselect
