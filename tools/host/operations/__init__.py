# SPDX-License-Identifier: MIT
"""What an operator does: hand in a journal, close a batch, clear a quarantine."""
