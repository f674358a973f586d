# SPDX-License-Identifier: MIT
"""Undoing or changing a payment: void, refund, tip, adjustment."""
