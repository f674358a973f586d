# SPDX-License-Identifier: MIT
"""How the terminal reads a card."""
