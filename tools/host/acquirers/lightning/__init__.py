# SPDX-License-Identifier: MIT
"""Lightning through an LNbits server of the merchant's (kind "lnbits"). docs/wallets-lightning.md has every key."""

from tools.host.acquirers.lightning.setup import create

__all__ = ["create"]
