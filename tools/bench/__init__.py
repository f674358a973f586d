# SPDX-License-Identifier: MIT
"""The figures of the product, measured: flash, instructions, heap, and bytes on the air and on the wire."""
