# SPDX-License-Identifier: MIT
"""The simulated world around a terminal: virtual chips, power, keys, cards, printer and network."""

from tools.world.world import World, WorldError

__all__ = ["World", "WorldError"]
