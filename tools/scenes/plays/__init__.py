# SPDX-License-Identifier: MIT
"""The plays by theme. A module has PLAYS, functions of a Stage in the order in which they are played at one terminal.

To add a play, write a function that begins and ends at the home page, and add it to the PLAYS of its module. The first
line of its docstring is its title in the album. To add a theme, add its module to THEMES. With SIGNED_ON = False its first
play powers on; TERMINAL has fields of tools.provision.device.Terminal.
"""

THEMES = (
    "start",
    "sale",
    "other_ways",
    "money_back",
    "find",
    "settle",
    "trouble",
    "device",
    "network",
    "staff",
    "new_terminal",
    "locked_out",
    "faults",
)
