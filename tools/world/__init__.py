# SPDX-License-Identifier: MIT
"""The world around a terminal: virtual chips, power, keys, cards, paper and air."""

from tools.world.world import World, WorldError

__all__ = ["World", "WorldError"]
