# SPDX-License-Identifier: MIT
"""Settling the batch, and what must be sent before."""
