# SPDX-License-Identifier: MIT
"""Making a terminal ready for its merchant: certificates, keys, settings."""
