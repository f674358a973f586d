# SPDX-License-Identifier: MIT
"""What the cashier does: one linear async function per file."""
