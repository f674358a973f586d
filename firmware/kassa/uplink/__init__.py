# SPDX-License-Identifier: MIT
"""How the terminal reaches the host."""
