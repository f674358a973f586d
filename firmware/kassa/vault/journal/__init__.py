# SPDX-License-Identifier: MIT
"""The payments, each durable in one flash program. Format: docs/journal.md."""
