# SPDX-License-Identifier: MIT
"""What the cashier sees: canvas, pages, fonts and texts."""
