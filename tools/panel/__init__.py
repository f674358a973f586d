# SPDX-License-Identifier: MIT
"""The terminal in a web page, next to its host's ledger."""
