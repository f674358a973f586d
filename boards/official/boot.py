# SPDX-License-Identifier: MIT
"""Runs before main.py beside an official MicroPython image, which has the firmware's modules in one file."""

import packed

packed.mount()
