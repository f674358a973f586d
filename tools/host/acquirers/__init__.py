# SPDX-License-Identifier: MIT
"""Wallets and card acquirers that move real money: one folder a provider, one interface for all."""
