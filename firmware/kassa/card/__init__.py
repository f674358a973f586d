# SPDX-License-Identifier: MIT
"""Reading contactless cards: Entry Point, kernels, offline data authentication."""
