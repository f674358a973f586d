# SPDX-License-Identifier: MIT
"""Measures the product's figures: flash operations, instructions, heap, and bytes over the air and on the wire."""
