# SPDX-License-Identifier: MIT
"""What the terminal keeps: journal, keyring, settings."""
