# SPDX-License-Identifier: MIT
"""The payments, each written with one flash program. Format: docs/journal.md."""
