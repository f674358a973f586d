# SPDX-License-Identifier: MIT
"""Import first in a script without a world: makes asyncio use MicroPython's own poller, not the board's."""

import sys

import uselect

sys.modules["select"] = uselect
