# SPDX-License-Identifier: MIT
"""What runs on the board: one file per part, sent over the raw REPL, run from memory, and never stored there."""
