# SPDX-License-Identifier: MIT
"""Taking a payment back, or changing it: void, refund, adjustment."""
