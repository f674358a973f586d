# SPDX-License-Identifier: MIT
"""Makes what goes onto a chip beside an official MicroPython image. `python -m tools.image BOARD`."""
