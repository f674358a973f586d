# SPDX-License-Identifier: MIT
"""Tests a real board's parts over its serial console and prints a table for a bug report. See docs/hardware.md."""
