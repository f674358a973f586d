# SPDX-License-Identifier: MIT
"""Provisions a terminal for its merchant: certificates, keys, settings."""
