# SPDX-License-Identifier: MIT
"""Kassa: the firmware of an open payment terminal."""

VERSION = "0.1.0"
