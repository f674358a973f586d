# SPDX-License-Identifier: MIT
"""Simulated WeChat Pay, Alipay and Lightning behind a host, as real wallets are, and a customer's phone with all three."""

from tools.sim.wallets.services import WalletServices

__all__ = ["WalletServices"]
