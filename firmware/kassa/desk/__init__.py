# SPDX-License-Identifier: MIT
"""The till: limits, batch totals and everything that changes money."""
