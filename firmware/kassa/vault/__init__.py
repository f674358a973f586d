# SPDX-License-Identifier: MIT
"""What the terminal keeps in flash: journal, keyring, settings, card tables."""
