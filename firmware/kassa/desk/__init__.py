# SPDX-License-Identifier: MIT
"""What the till does with money."""
