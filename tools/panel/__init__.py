# SPDX-License-Identifier: MIT
"""The terminal in a web page, beside the ledger of its host."""
