# SPDX-License-Identifier: MIT
"""Pulls an encrypted support bundle from a terminal in safe mode, and opens it. Format: docs/support.md."""
