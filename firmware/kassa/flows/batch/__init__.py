# SPDX-License-Identifier: MIT
"""Settling the batch, and the payments that are still pending."""
