# SPDX-License-Identifier: MIT
"""The database: its tables, and transactions on it."""
