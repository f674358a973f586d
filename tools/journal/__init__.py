# SPDX-License-Identifier: MIT
"""Reads the journal from a raw flash image, independently of the firmware."""
