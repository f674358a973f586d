# SPDX-License-Identifier: MIT
"""Pure functions over cryptolib and hashlib."""
