# SPDX-License-Identifier: MIT
"""The books: entries, accounts and totals."""
