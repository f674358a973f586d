# SPDX-License-Identifier: MIT
"""Reads a journal out of a raw flash image, independently of the firmware."""
