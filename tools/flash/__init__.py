# SPDX-License-Identifier: MIT
"""Writes an official MicroPython image and a board's own image to a chip. `python -m tools.flash`."""
