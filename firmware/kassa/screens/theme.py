# SPDX-License-Identifier: MIT
"""The colours: RGB565 with its two bytes swapped, because framebuf stores the low byte first and the panel the high byte.

The comment behind each gives its RGB value and its use.
"""

from micropython import const

WARNING = "\ue107 "  # icon in front of a warning line

PAPER = const(0xDFF7)  # F6F8FA the page
CARD = const(0xFFFF)  # FFFFFF an entry field
INK = const(0xC508)  # 0F1B2D text
QUIET = const(0x6B3A)  # 3F4D5C hints, labels
RULE = const(0xFCD6)  # D5DCE3 thin lines, empty places
NIGHT = const(0x0711)  # 10233A the top bar
DAY = const(0xFFFF)  # FFFFFF text on the top bar and on dark bands
DIM = const(0x989D)  # 9FB2C6 quiet text on the top bar
FOOT = const(0x5EE7)  # E6EBF0 the bottom line
ACCENT = const(0xF61A)  # 1A5FB4 a selected line, an entry's underline
GREEN = const(0xC713)  # 12783A approved, confirm
BLUE = const(0xF61A)  # 1A5FB4 wait, present card
AMBER = const(0x83F5)  # F2B01E accepted but not yet authorised, clear
ORANGE = const(0x44F4)  # F08A24 warning
RED = const(0x05B9)  # B8202C declined, cancel
SLATE = const(0x2B32)  # 33475B a question
LIME = const(0xAE66)  # 63D471 connected to the host, on the top bar
SKY = const(0xDF6D)  # 6CB8FF connecting, on the top bar
ROSE = const(0x51FC)  # FF8A8A trouble, on the top bar
